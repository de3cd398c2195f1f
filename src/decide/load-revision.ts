import { createHash } from 'node:crypto';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { ActivePolicy, Clock } from '../contract/stages.ts';
import type { RateLimitStatus } from '../contract/status.ts';
import { createActivePolicy, type PolicyParts } from './active-policy.ts';
import { readBundle } from './bundle.ts';
import { checkBundle } from './bundle-check.ts';
import { combine } from './combine.ts';
import { checkData, compileDataChecks } from './data-schema.ts';
import { compileInput, parseInputPaths } from './input.ts';
import { createAddressList } from './lists.ts';
import type { DecideOptions, PolicyOptions } from './options.ts';
import { createRatePlans } from './rate-plan.ts';
import { createRouteTable } from './routes.ts';
import { SMOKE_FACTS } from './smoke.ts';
import type { RuleFacts } from './verdict.ts';
import { compileWasm, instantiateWasm } from './wasm-policy.ts';
/** One revision, with what `/status` shows of it. */
export type LoadedRevision = {
  readonly policy: ActivePolicy;
  readonly rules: number;
  readonly routes: number;
  readonly limits: readonly RateLimitStatus[];
};

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
  const parts: PolicyParts = {
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

/** What the host matches by itself never gets into the Wasm memory. */
export function splitData(data: JsonObject): {
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
function smoke(parts: PolicyParts): void {
  try {
    combine(parts.wasm.evaluate(parts.build(SMOKE_FACTS)), parts.titles);
  } catch (error) {
    throw new CountersignError('bundle_smoke_failed', { detail: error instanceof Error ? error.message : '', cause: error });
  }
}
