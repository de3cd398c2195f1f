import type { LogRules } from '../contract/decision-log.ts';
import { CountersignError } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import { scanRego } from './rego-scan.ts';
import type { WasmPolicy } from './wasm-policy.ts';

/* OPA's rules about its decision log, `data.system.log.mask` and `data.system.log.drop`: entry points of a bundle's own module. */

const RULES = ['mask', 'drop'] as const;
const PACKAGE = 'system.log';
const NS_A_MILLISECOND = 1_000_000n;

/** The entry points that Rego sources define beside that of the decision, as slash paths. */
export function logEntrypoints(sources: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  for (const source of sources.values()) {
    const { package: path, empty } = scanRego(source);
    if (empty || path?.join('.') !== PACKAGE) continue;
    for (const rule of RULES) if (new RegExp(`^(default\\s+)?${rule}\\b`, 'm').test(source)) found.add(`system/log/${rule}`);
  }
  return [...found].sort();
}

/**
 * Refuses a bundle whose sources say what is to be masked, and whose module cannot.
 * @throws CountersignError bundle_entrypoint_missing
 */
export function requireLogRules(sources: ReadonlyMap<string, string>, wasm: WasmPolicy): void {
  const missing = logEntrypoints(sources).filter((name) => wasm.at(name) === null);
  if (missing.length > 0) throw new CountersignError('bundle_entrypoint_missing', { field: missing.join(', ') });
}

/** The rules of a loaded module; null where it has none, so that nothing is evaluated. */
export function logRulesIn(wasm: WasmPolicy): LogRules | null {
  const drop = wasm.at('system/log/drop');
  const mask = wasm.at('system/log/mask');
  if (drop === null && mask === null) return null;
  return {
    drop: (event) => drop?.(event, momentOf(event)) === true,
    mask: (event) => mask?.(event, momentOf(event)) ?? null,
  };
}

/** Of the event, as a decision's is of its request. */
function momentOf({ timestamp, decision_id: id }: JsonObject): { readonly nowNs: bigint | undefined; readonly seed: string | undefined } {
  const ms = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return { nowNs: Number.isNaN(ms) ? undefined : BigInt(ms) * NS_A_MILLISECOND, seed: typeof id === 'string' ? id : undefined };
}
