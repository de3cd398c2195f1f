import { asCountersignError } from '../contract/errors.ts';
import type { PolicyException } from '../contract/exceptions.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { clientAddressOf } from '../contract/network.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';
import type { EnrichmentSignals } from '../contract/signals.ts';
import type { ActivePolicy, Clock, Evaluated } from '../contract/stages.ts';
import type { Combined } from './combine.ts';
import type { PolicyContract } from './contracts/contract.ts';
import { withOwn } from './contracts/own-answer.ts';
import type { InputFacts } from './input.ts';
import { type AddressList, BLOCKED_LIST, type ListHit } from './lists.ts';
import type { DecideOptions } from './options.ts';
import { decisionOf, failedDecision } from './output.ts';
import type { ExceptionTable } from './pushed/exceptions.ts';
import type { Verdict } from './verdict.ts';
import { parseAnswer, type WasmPolicy } from './wasm-policy.ts';

const BLOCKED: readonly ListHit[] = [BLOCKED_LIST];
const NOT_LISTED: readonly ListHit[] = [];
const NO_EXCEPTIONS: readonly PolicyException[] = [];

/** What a revision is made of, prepared once. */
export type PolicyParts = {
  readonly wasm: WasmPolicy;
  /** Of every rule, sorted. */
  readonly codes: readonly string[];
  readonly contract: PolicyContract;
  readonly addresses: AddressList;
  readonly buildWhole: (facts: InputFacts) => JsonObject;
  readonly slowMs: number;
  readonly output: Pick<DecideOptions, 'upstream' | 'challenge'>;
  readonly clock: Clock;
  /** Not there where none was pushed. */
  readonly exceptions?: ExceptionTable | null | undefined;
};

/** The revision that answers: it holds the order of one evaluation. */
export function createActivePolicy(
  parts: PolicyParts,
  policy: { readonly name: string; readonly revision: string },
  routeOf: (request: DecisionRequest) => Route,
): ActivePolicy {
  const { wasm, addresses, clock, slowMs, contract, exceptions } = parts;
  const combinedOf = createCombiner(contract.read);
  return {
    ...policy,
    routeOf,
    decide(request, identity, enrichment, route): Evaluated {
      const facts: InputFacts = { request, identity, enrichment, route, lists: listsOf(enrichment, addresses) };
      const startedMs = clock.monotonic();
      let built: JsonObject | null = null;
      const input = (mode: 'referenced' | 'full'): JsonValue => contract.logged(facts, built, mode);
      const done = (decision: Evaluated['decision'], cause: unknown): Evaluated => {
        const evaluationMs = clock.monotonic() - startedMs;
        return { decision, input, evaluationMs, slow: evaluationMs > slowMs, cause };
      };
      try {
        built = contract.build(facts);
        const answer = wasm.answer(built);
        const excepted = exceptions == null ? NO_EXCEPTIONS : exceptionsOf(exceptions, facts, clock.now());
        const combined = excepted.length === 0 ? combinedOf(answer) : contract.read(parseAnswer(answer), excepted);
        if (combined.collect.length > 0)
          return { ...done(failedDecision(request, 'policy_collect_repeated', policy, identity), null), collect: combined.collect };
        const made = decisionOf(request, identity, enrichment, route, combined, policy, parts.output);
        const decision = combined.own === undefined ? made : withOwn(made, combined.own);
        return done(request.explain ? { ...decision, explanation: explain(parts, facts, combined) } : decision, null);
      } catch (error) {
        const failure = asCountersignError(error, 'policy_evaluation_failed');
        return done(failedDecision(request, failure.code, policy, identity), failure);
      }
    },
  };
}

/** Those of the verified client and of the address. */
function exceptionsOf(table: ExceptionTable, { identity, enrichment }: InputFacts, nowMs: number): readonly PolicyException[] {
  return table.of(identity.subject.client, clientAddressOf(enrichment.network), nowMs / 1000);
}

/** Answers that are kept with what they combine to, and how long they may be. */
const ANSWERS_MAX = 1000;
const ANSWER_CHARS_MAX = 4096;

/**
 * Combines an answer, or finds what the same answer combined to before: the verdicts are all that the combination depends on, and most
 * requests get one of a few answers. A full memory is emptied, so that what is rare does not stay.
 */
function createCombiner(read: PolicyContract['read']): (answer: string) => Combined {
  const known = new Map<string, Combined>();
  return (answer) => {
    const before = known.get(answer);
    if (before !== undefined) return before;
    const combined = read(parseAnswer(answer));
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

const NO_CODES: readonly string[] = [];

/** Every rule's verdict, also those that Wasm leaves out since they are exactly clear. */
function explain(parts: PolicyParts, facts: InputFacts, combined: Combined): { readonly signals: JsonValue; readonly verdicts: JsonValue } {
  const spoken = new Map(combined.verdicts.map((verdict): [string, Verdict] => [verdict.code, verdict]));
  const { signals, sources } = parts.buildWhole(facts);
  return {
    signals:
      facts.enrichment.sources === undefined || !isJsonObject(signals) ? (signals ?? null) : { ...signals, sources: sources ?? null },
    // rules that lie beside a policy that decides itself have said nothing
    verdicts: (combined.own === undefined ? parts.codes : NO_CODES).map((code) => {
      const verdict = spoken.get(code);
      return verdict === undefined ? { code, effect: 'clear' } : { ...verdict.said, code, effect: verdict.effect };
    }),
  };
}
