import { isJsonObject } from '../contract/json.ts';
import type { ActivePolicy, Clock } from '../contract/stages.ts';
import type { RateLimitStatus } from '../contract/status.ts';
import { createActivePolicy, type PolicyParts } from './active-policy.ts';
import { createContract } from './contracts/create-contract.ts';
import { compileInput, parseInputPaths } from './input.ts';
import { createAddressList } from './lists.ts';
import type { DecideOptions, PolicyOptions } from './options.ts';
import type { PreparedRevision } from './prepare/prepare-revision.ts';
import { ruleFactsOf } from './prepare/trials.ts';
import { createRatePlans } from './rate-plan.ts';
import { createRouteTable } from './routes.ts';
import { restoreWasm } from './wasm-policy.ts';

/** One revision, with what `/status` shows of it. */
export type LoadedRevision = {
  readonly policy: ActivePolicy;
  readonly rules: number;
  readonly routes: number;
  readonly limits: readonly RateLimitStatus[];
  /** Of the required data, what is not there: no decision is made until it is. */
  readonly missingData: readonly string[];
  /** Ids of the routes that are not enforced. */
  readonly monitored: readonly string[];
};

/**
 * Puts a revision together that was prepared, here or in another thread.
 * @throws CountersignError `bundle_*`, each refusal with its code
 */
export async function loadRevision(
  name: string,
  prepared: PreparedRevision,
  options: PolicyOptions,
  shared: Pick<DecideOptions, 'input' | 'upstream' | 'challenge'>,
  clock: Clock,
): Promise<LoadedRevision> {
  const { codes, metadata, host, revision, missingData, monitored } = prepared;
  const rates = createRatePlans(host.limits, new Set(Object.keys(isJsonObject(host.routes) ? host.routes : {})), name);
  const routes = createRouteTable(host.routes, name, rates.of);
  const addresses = createAddressList(host.blocked, 'countersign.limits.network.addresses_blocked');
  const wasm = await restoreWasm(prepared.module, prepared.image, options);
  const build = compileInput(shared.input, metadata === null ? null : parseInputPaths(metadata.input));
  const buildWhole = compileInput(shared.input, null);
  const parts: PolicyParts = {
    wasm,
    codes,
    contract: createContract(options, shared.input, { build, buildWhole }, ruleFactsOf(metadata)),
    addresses,
    buildWhole,
    slowMs: options.slowMs,
    output: shared,
    clock,
  };
  const policy = createActivePolicy(parts, { name, revision }, (request) => routes.match(request));
  return { policy, rules: codes.length, routes: routes.size, limits: rates.limits, missingData, monitored };
}
