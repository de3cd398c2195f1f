import type { Explainer } from '../contract/explain.ts';
import type { ActivePolicy, Clock } from '../contract/stages.ts';
import type { RateLimitStatus } from '../contract/status.ts';
import { createActivePolicy, type PolicyParts } from './active-policy.ts';
import { createContract } from './contracts/create-contract.ts';
import { createExplainer } from './explain.ts';
import { compileInput } from './input.ts';
import { logRulesIn } from './log-rules.ts';
import type { DecideOptions, PolicyOptions } from './options.ts';
import { unpackHostData } from './prepare/host-data.ts';
import type { PreparedRevision } from './prepare/prepare-revision.ts';
import { pathsReadBy, ruleFactsOf } from './prepare/trials.ts';
import type { KeptData } from './pushed/data-job.ts';
import { createExceptionTable } from './pushed/exceptions.ts';
import { decisionRevision } from './pushed/revision-name.ts';
import type { RuleFacts } from './verdict.ts';
import { restoreWasm } from './wasm-policy.ts';

/** One revision, with what `/status` shows of it. */
export type LoadedRevision = {
  readonly policy: ActivePolicy;
  readonly rules: number;
  readonly routes: number;
  readonly limits: readonly RateLimitStatus[];
  /** Of the required data, what is not there: no decision is made until it is. */
  readonly missingData: readonly string[];
  /** Of the bundle that it was made from. */
  readonly bundle: Pick<PreparedRevision, 'revision' | 'sequence' | 'signed' | 'module'>;
  /** Its rules. */
  readonly facts: { readonly codes: ReadonlySet<string>; readonly rules: ReadonlyMap<string, RuleFacts> };
  /** Explains its decisions, also when it is gone. */
  readonly explainer: Explainer;
  /** The same with other exceptions; all other data must be the same. */
  withExceptions(pushed: KeptData): LoadedRevision;
  /** What was pushed over the bundle when it was made. */
  readonly data: KeptData | null;
  /** Ids of the routes that are not enforced. */
  readonly monitored: readonly string[];
};

/**
 * Puts a revision together that was prepared, here or in another thread.
 * @param pushed what was pushed over the bundle; its documents are in `prepared` already
 * @throws CountersignError `bundle_*`, each refusal with its code
 */
export async function loadRevision(
  name: string,
  prepared: PreparedRevision,
  options: PolicyOptions,
  shared: Pick<DecideOptions, 'input' | 'upstream' | 'challenge'>,
  clock: Clock,
  pushed: KeptData | null = null,
): Promise<LoadedRevision> {
  const { codes, metadata, host, revision, missingData, monitored, thresholds } = prepared;
  const { rates, routes, addresses } = await unpackHostData(host, name);
  const wasm = await restoreWasm(prepared.module, prepared.image, options);
  const titles = ruleFactsOf(metadata);
  const build = compileInput(shared.input, pathsReadBy(metadata, wasm));
  const buildWhole = compileInput(shared.input, null);
  const contract = createContract(options, shared.input, { build, buildWhole }, titles);
  const explainerOver = (data: KeptData | null): Explainer =>
    createExplainer({ read: contract.read, codes, rules: titles, thresholds, bundle: revision, data: numberOf(data) });
  const parts: Omit<PolicyParts, 'explainer'> = {
    wasm,
    rules: titles,
    contract,
    // the document of `envoy` has the client's headers
    inputKept: options.contract !== 'envoy',
    addresses,
    buildWhole,
    slowMs: options.slowMs,
    output: shared,
    logRules: logRulesIn(wasm),
    clock,
  };
  const { sequence, signed, module } = prepared;
  const shown = { rules: codes.length, routes: routes.size, limits: rates.limits, missingData, monitored };
  const made = { ...shown, bundle: { revision, sequence, signed, module }, facts: { codes: new Set(codes), rules: titles } };
  const over = (data: KeptData | null): LoadedRevision => {
    const exceptions = createExceptionTable(data?.exceptions ?? []);
    const named = { name, revision: decisionRevision(revision, data) };
    const explainer = explainerOver(data);
    const policy = createActivePolicy({ ...parts, explainer, exceptions }, named, routes.match);
    return { ...made, data, policy, explainer, withExceptions: over };
  };
  return over(pushed);
}

/** Of the changes that decisions name; exceptions alone change no revision. */
function numberOf(data: KeptData | null): number | null {
  return data === null || data.documents.length === 0 ? null : data.revision;
}
