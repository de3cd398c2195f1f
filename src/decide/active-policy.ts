import { createHash } from 'node:crypto';
import { asCountersignError, CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { clientAddressOf } from '../contract/network.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';
import type { EnrichmentSignals } from '../contract/signals.ts';
import type { ActivePolicy, Clock, Evaluated } from '../contract/stages.ts';
import type { RateLimitStatus } from '../contract/status.ts';
import { readBundle } from './bundle.ts';
import { checkBundle } from './bundle-check.ts';
import { type Combined, combine } from './combine.ts';
import { checkData, compileDataChecks } from './data-schema.ts';
import { compileInput, type InputFacts, parseInputPaths } from './input.ts';
import { type AddressList, createAddressList, type ListHit } from './lists.ts';
import type { DecideOptions, PolicyOptions } from './options.ts';
import { decisionOf, failedDecision } from './output.ts';
import { createRatePlans } from './rate-plan.ts';
import { createRouteTable } from './routes.ts';
import { SMOKE_FACTS } from './smoke.ts';
import type { RuleFacts, Verdict } from './verdict.ts';
import { compileWasm, instantiateWasm, parseAnswer, type WasmPolicy } from './wasm-policy.ts';

/** One revision, with what `/status` shows of it. */
export type LoadedRevision = {
  readonly policy: ActivePolicy;
  readonly rules: number;
  readonly routes: number;
  readonly limits: readonly RateLimitStatus[];
};

const BLOCKED: readonly ListHit[] = [{ name: 'addresses_blocked', tags: [], age_seconds: null, stale: false }];
const NOT_LISTED: readonly ListHit[] = [];

/**
 * Checks a bundle, compiles it and tries it once.
 * @throws CountersignError `bundle_*`, each refusal with its code
 */
export async function loadRevision(
  name: string,
  packed: Uint8Array,
  options: PolicyOptions,
  shared: Pick<DecideOptions, 'input' | 'upstream' | 'challenge'>,
  clock: Clock,
): Promise<LoadedRevision> {
  const bundle = await readBundle(packed);
  const codes = checkBundle(bundle, options.requiredRules);
  const metadata = bundle.manifest.metadata.countersign;
  checkData(bundle.data, compileDataChecks(metadata?.schemas ?? {}));
  const { rego, limits, routes: catalogue, blocked } = splitData(bundle.data);
  const rates = createRatePlans(limits, new Set(Object.keys(isJsonObject(catalogue) ? catalogue : {})), name);
  const routes = createRouteTable(catalogue, name, rates.of);
  const addresses = createAddressList(blocked, 'countersign.limits.network.addresses_blocked');
  const wasm = await instantiateWasm(await compileWasm(bundle.wasm), rego, options);
  const titles = new Map<string, RuleFacts>();
  for (const [code, rule] of Object.entries(metadata?.rules ?? {})) titles.set(code, { ...rule, title: rule.title ?? code });
  const paths = metadata === undefined ? null : parseInputPaths(metadata.input);
  const parts: Parts = {
    wasm,
    codes,
    titles,
    addresses,
    build: compileInput(shared.input, paths),
    buildWhole: compileInput(shared.input, null),
    slowMs: options.slowMs,
    output: shared,
    clock,
  };
  smoke(parts);
  const policy = createActivePolicy(
    parts,
    { name, revision: bundle.manifest.revision || createHash('sha256').update(packed).digest('hex').slice(0, 16) },
    (request) => routes.match(request),
  );
  return { policy, rules: codes.length, routes: routes.size, limits: rates.limits };
}

type Parts = {
  readonly wasm: WasmPolicy;
  /** Of every rule, sorted. */
  readonly codes: readonly string[];
  readonly titles: ReadonlyMap<string, RuleFacts>;
  readonly addresses: AddressList;
  readonly build: (facts: InputFacts) => JsonObject;
  readonly buildWhole: (facts: InputFacts) => JsonObject;
  readonly slowMs: number;
  readonly output: Pick<DecideOptions, 'upstream' | 'challenge'>;
  readonly clock: Clock;
};

/** What the host matches by itself never gets into the Wasm memory. */
function splitData(data: JsonObject): {
  readonly rego: JsonObject;
  readonly limits: JsonValue | undefined;
  readonly routes: JsonValue | undefined;
  readonly blocked: readonly JsonValue[];
} {
  const ours = data['countersign'];
  if (!isJsonObject(ours)) return { rego: data, limits: undefined, routes: undefined, blocked: [] };
  const { routes, ...rest } = ours;
  const { limits } = rest;
  const network = isJsonObject(limits) ? limits['network'] : undefined;
  const blocked = isJsonObject(network) ? network['addresses_blocked'] : undefined;
  if (!isJsonObject(limits) || !isJsonObject(network) || blocked === undefined)
    return { rego: { ...data, countersign: rest }, limits, routes, blocked: [] };
  if (!Array.isArray(blocked)) throw new CountersignError('bundle_data_invalid', { field: 'countersign.limits.network.addresses_blocked' });
  const { addresses_blocked: _blocked, ...others } = network;
  return { rego: { ...data, countersign: { ...rest, limits: { ...limits, network: others } } }, limits, routes, blocked };
}

/** One evaluation on an input that knows nothing: what cannot answer that cannot answer anything. */
function smoke(parts: Parts): void {
  try {
    combine(parts.wasm.evaluate(parts.build(SMOKE_FACTS)), parts.titles);
  } catch (error) {
    throw new CountersignError('bundle_smoke_failed', { detail: error instanceof Error ? error.message : '', cause: error });
  }
}

function createActivePolicy(
  parts: Parts,
  policy: { readonly name: string; readonly revision: string },
  routeOf: (request: DecisionRequest) => Route,
): ActivePolicy {
  const { wasm, addresses, clock, slowMs } = parts;
  const combinedOf = createCombiner(parts.titles);
  return {
    ...policy,
    routeOf,
    decide(request, identity, enrichment, route): Evaluated {
      const facts: InputFacts = { request, identity, enrichment, route, lists: listsOf(enrichment, addresses) };
      const startedMs = clock.monotonic();
      let built: JsonObject | null = null;
      const input = (mode: 'referenced' | 'full'): JsonValue => (mode === 'full' ? parts.buildWhole(facts) : (built ?? parts.build(facts)));
      const done = (decision: Evaluated['decision'], cause: unknown): Evaluated => {
        const evaluationMs = clock.monotonic() - startedMs;
        return { decision, input, evaluationMs, slow: evaluationMs > slowMs, cause };
      };
      try {
        built = parts.build(facts);
        const combined = combinedOf(wasm.answer(built));
        if (combined.collect.length > 0)
          return { ...done(failedDecision(request, 'policy_collect_repeated', policy, identity), null), collect: combined.collect };
        const decision = decisionOf(request, identity, enrichment, route, combined, policy, parts.output);
        return done(request.explain ? { ...decision, explanation: explain(parts, facts, combined) } : decision, null);
      } catch (error) {
        const failure = asCountersignError(error, 'policy_evaluation_failed');
        return done(failedDecision(request, failure.code, policy, identity), failure);
      }
    },
  };
}

/** Answers that are kept with what they combine to, and how long they may be. */
const ANSWERS_MAX = 1000;
const ANSWER_CHARS_MAX = 4096;

/**
 * Combines an answer, or finds what the same answer combined to before: the verdicts are all that the combination depends on, and most
 * requests get one of a few answers. A full memory is emptied, so that what is rare does not stay.
 */
function createCombiner(titles: ReadonlyMap<string, RuleFacts>): (answer: string) => Combined {
  const known = new Map<string, Combined>();
  return (answer) => {
    const before = known.get(answer);
    if (before !== undefined) return before;
    const combined = combine(parseAnswer(answer), titles);
    if (answer.length > ANSWER_CHARS_MAX) return combined;
    if (known.size >= ANSWERS_MAX) known.clear();
    known.set(answer, combined);
    return combined;
  };
}

function listsOf(enrichment: EnrichmentSignals, addresses: AddressList): readonly ListHit[] {
  const address = addresses.size > 0 ? clientAddressOf(enrichment.network) : null;
  return address !== null && addresses.has(address) ? BLOCKED : NOT_LISTED;
}

/** Every rule's verdict, also those that Wasm leaves out since they are exactly clear. */
function explain(parts: Parts, facts: InputFacts, combined: Combined): { readonly signals: JsonValue; readonly verdicts: JsonValue } {
  const spoken = new Map(combined.verdicts.map((verdict): [string, Verdict] => [verdict.code, verdict]));
  const { signals, sources } = parts.buildWhole(facts);
  return {
    signals:
      facts.enrichment.sources === undefined || !isJsonObject(signals) ? (signals ?? null) : { ...signals, sources: sources ?? null },
    verdicts: parts.codes.map((code) => {
      const verdict = spoken.get(code);
      return verdict === undefined ? { code, effect: 'clear' } : { ...verdict.said, code, effect: verdict.effect };
    }),
  };
}
