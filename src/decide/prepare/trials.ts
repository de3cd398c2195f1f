import { CountersignError } from '../../contract/errors.ts';
import { inputPathsOf } from '../builtins/table.ts';
import { createContract } from '../contracts/create-contract.ts';
import { compileInput, parseInputPaths } from '../input.ts';
import type { InputOptions, PolicyOptions } from '../options.ts';
import type { InputPaths } from '../projection.ts';
import type { RuleFacts } from '../verdict.ts';
import { parseAnswer, type WasmPolicy } from '../wasm-policy.ts';
import type { PreparedRevision } from './prepare-revision.ts';
import { worstFacts } from './worst-facts.ts';

const ROUNDS = 3;

export type TrialOptions = {
  readonly policy: Pick<PolicyOptions, 'contract' | 'input' | 'worstCaseMs'>;
  readonly input: InputOptions;
  readonly monotonic: () => number;
};

/** What the manifest says of the rules, by their codes. */
export function ruleFactsOf(metadata: PreparedRevision['metadata']): Map<string, RuleFacts> {
  return new Map(Object.entries(metadata?.rules ?? {}).map(([code, rule]) => [code, { ...rule, title: rule.title ?? code }]));
}

/** The paths of the input that the rules read, and those that their builtins do; null where it is not known. */
export function pathsReadBy(metadata: PreparedRevision['metadata'], { builtins }: WasmPolicy): InputPaths {
  const paths = metadata === null ? null : parseInputPaths(metadata.input);
  return paths === null ? null : [...paths, ...inputPathsOf(builtins)];
}

/**
 * Evaluates a bundle before it answers anybody: on an input that knows nothing, and on the worst input that the caps allow, of which the
 * best of three runs counts, since other work on the machine is not the bundle's fault.
 * @returns milliseconds on the worst input
 * @throws CountersignError bundle_smoke_failed, bundle_too_slow
 */
export function tryOut(wasm: WasmPolicy, metadata: PreparedRevision['metadata'], options: TrialOptions): number {
  const { policy, input, monotonic } = options;
  const buildWhole = compileInput(input, null);
  const build = compileInput(input, pathsReadBy(metadata, wasm));
  const contract = createContract(policy, input, { build, buildWhole }, ruleFactsOf(metadata));
  attempt(() => contract.tried(wasm.evaluate(contract.build(contract.trial))));
  const worst = contract.build(contract.worst(worstFacts(input.headers)));
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && bestMs > policy.worstCaseMs / ROUNDS; round++) {
    const from = monotonic();
    attempt(() => parseAnswer(wasm.answer(worst)));
    bestMs = Math.min(bestMs, monotonic() - from);
  }
  if (bestMs > policy.worstCaseMs) {
    const detail = `${Math.round(bestMs)} ms on the worst input, ${policy.worstCaseMs} are allowed`;
    throw new CountersignError('bundle_too_slow', { detail });
  }
  return bestMs;
}

/** What cannot answer that cannot answer anything. */
function attempt(evaluate: () => unknown): void {
  try {
    evaluate();
  } catch (error) {
    throw new CountersignError('bundle_smoke_failed', { detail: error instanceof Error ? error.message : '', cause: error });
  }
}
