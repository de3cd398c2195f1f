import { createHash } from 'node:crypto';
import type { Effect, Reason, RiskFactor, StepUp } from '../contract/decision.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { readBundle } from './bundle.ts';
import { checkBundle } from './bundle-check.ts';
import { combine } from './combine.ts';
import { splitData } from './prepare/split-data.ts';
import { withRuleCount } from './rule-count.ts';
import type { RuleFacts, Verdict } from './verdict.ts';
import { compileWasm, instantiateWasm, type WasmOptions } from './wasm-policy.ts';

/** What a policy says of a document in the form of its input, with every rule's verdict. */
export type OfflineDecision = {
  readonly effect: Effect;
  readonly status: number | null;
  readonly reasons: readonly Reason[];
  readonly verdicts: readonly JsonValue[];
  readonly requiredAssurance: number;
  readonly risk: { readonly score: number; readonly factors: readonly RiskFactor[] };
  readonly stepUp: StepUp | null;
  readonly collect: readonly string[];
};

/** A bundle that answers documents in the form of the input, without a request. */
export type OfflinePolicy = {
  readonly revision: string;
  /** @throws CountersignError policy_evaluation_failed, policy_result_invalid, policy_collect_unknown */
  readonly decide: (input: JsonObject) => OfflineDecision;
};

/** @throws CountersignError `bundle_*` */
export async function openOffline(packed: Uint8Array, options: WasmOptions): Promise<OfflinePolicy> {
  const bundle = await readBundle(packed);
  const codes = checkBundle(bundle, { contract: 'rules', entrypoint: options.entrypoint, requiredRules: [] });
  const wasm = await instantiateWasm(await compileWasm(bundle.wasm), withRuleCount(splitData(bundle.data).rego, codes.length), options);
  const titles = new Map<string, RuleFacts>();
  for (const [code, rule] of Object.entries(bundle.manifest.metadata.countersign?.rules ?? {}))
    titles.set(code, { ...rule, title: rule.title ?? code });
  return {
    revision: bundle.manifest.revision || createHash('sha256').update(packed).digest('hex').slice(0, 16),
    decide(input) {
      const combined = combine(wasm.evaluate(input), titles);
      const spoken = new Map(combined.verdicts.map((verdict): [string, Verdict] => [verdict.code, verdict]));
      const { effect, status, reasons, assuranceRequired, risk, stepUp, collect } = combined;
      return {
        effect,
        status,
        reasons,
        verdicts: codes.map((code) => {
          const verdict = spoken.get(code);
          return verdict === undefined ? { code, effect: 'clear' } : { ...verdict.said, code, effect: verdict.effect };
        }),
        requiredAssurance: assuranceRequired,
        risk,
        stepUp,
        collect,
      };
    },
  };
}
