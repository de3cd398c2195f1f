import type { Decision } from '../contract/decision.ts';
import type { LogRules } from '../contract/decision-log.ts';
import { asCountersignError } from '../contract/errors.ts';
import type { PolicyException } from '../contract/exceptions.ts';
import type { DecisionTrace, Explainer, Explanation } from '../contract/explain.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { clientAddressOf } from '../contract/network.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';
import type { EnrichmentSignals } from '../contract/signals.ts';
import type { ActivePolicy, Clock, Evaluated } from '../contract/stages.ts';
import type { Combined } from './combine.ts';
import type { PolicyContract } from './contracts/contract.ts';
import { withOwn } from './contracts/own-answer.ts';
import { signalsIn } from './explain.ts';
import type { InputFacts } from './input.ts';
import { type AddressList, BLOCKED_LIST, type ListHit } from './lists.ts';
import { withRpcAnswer, withTargetScopes } from './mcp/answer.ts';
import { readMessage } from './mcp/read-message.ts';
import type { DecideOptions } from './options.ts';
import { decisionOf, failedDecision } from './output.ts';
import type { ExceptionTable } from './pushed/exceptions.ts';
import { explainUndecided, hasUndecided } from './undecided.ts';
import type { RuleFacts } from './verdict.ts';
import { parseAnswer, type WasmPolicy } from './wasm-policy.ts';

const BLOCKED: readonly ListHit[] = [BLOCKED_LIST];
const NOT_LISTED: readonly ListHit[] = [];
const NO_EXCEPTIONS: readonly PolicyException[] = [];

/** What a revision is made of, prepared once. */
export type PolicyParts = {
  readonly wasm: WasmPolicy;
  /** By code, as the manifest says. */
  readonly rules: ReadonlyMap<string, RuleFacts>;
  readonly contract: PolicyContract;
  readonly explainer: Explainer;
  /** False where the input may hold credentials: then it is not kept. */
  readonly inputKept: boolean;
  readonly addresses: AddressList;
  readonly buildWhole: (facts: InputFacts) => JsonObject;
  readonly slowMs: number;
  readonly output: Pick<DecideOptions, 'upstream' | 'challenge'>;
  readonly clock: Clock;
  /** Null, or left out: the bundle has none. */
  readonly logRules?: LogRules | null;
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
    logRules: parts.logRules ?? null,
    routeOf,
    decide(request, identity, enrichment, route): Evaluated {
      const mcp = readMessage(request, route);
      const facts: InputFacts = { request, identity, enrichment, route, lists: listsOf(enrichment, addresses), mcp };
      const startedMs = clock.monotonic();
      let built: JsonObject | null = null;
      const input = (mode: 'referenced' | 'full'): JsonValue => contract.logged(facts, built, mode);
      const done = (decision: Evaluated['decision'], cause: unknown): Evaluated => {
        const evaluationMs = clock.monotonic() - startedMs;
        return { decision, input, evaluationMs, slow: evaluationMs > slowMs, cause };
      };
      try {
        built = contract.build(facts);
        const text = JSON.stringify(built);
        const answer = wasm.answer(built, undefined, text);
        const excepted = exceptions == null ? NO_EXCEPTIONS : exceptionsOf(exceptions, facts, clock.now());
        const { combined, answer: kept } =
          excepted.length === 0 ? combinedOf(answer) : { combined: contract.read(parseAnswer(answer), excepted), answer };
        if (combined.collect.length > 0)
          return { ...done(failedDecision(request, 'policy_collect_repeated', policy, identity), null), collect: combined.collect };
        const made = decisionOf(request, identity, enrichment, withTargetScopes(route, mcp), combined, policy, parts.output);
        const answered = withRpcAnswer(made, mcp);
        const owned = combined.own === undefined ? answered : withOwn(answered, combined.own);
        const decision = hasUndecided(owned) ? explainUndecided(owned, parts.rules, built) : owned;
        const trace: DecisionTrace = { input: parts.inputKept ? text : null, answer: kept, exceptions: excepted };
        return { ...done(request.explain ? { ...decision, explanation: explain(parts, facts, decision, trace) } : decision, null), trace };
      } catch (error) {
        const failure = asCountersignError(error, 'policy_evaluation_failed');
        return done(withRpcAnswer(failedDecision(request, failure.code, policy, identity), mcp), failure);
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

/** What an answer combines to, with the text of it that is kept: one for all that are equal. */
type Known = { readonly combined: Combined; readonly answer: string };

/**
 * Combines an answer, or finds what the same answer combined to before: the verdicts are all that the combination depends on, and most
 * requests get one of a few answers. A full memory is emptied, so that what is rare does not stay.
 */
function createCombiner(read: PolicyContract['read']): (answer: string) => Known {
  const known = new Map<string, Known>();
  return (answer) => {
    const before = known.get(answer);
    if (before !== undefined) return before;
    const made = { combined: read(parseAnswer(answer)), answer };
    if (answer.length > ANSWER_CHARS_MAX) return made;
    if (known.size >= ANSWERS_MAX) known.clear();
    known.set(answer, made);
    return made;
  };
}

function listsOf(enrichment: EnrichmentSignals, addresses: AddressList): readonly ListHit[] {
  const address = addresses.size > 0 ? clientAddressOf(enrichment.network) : null;
  return address !== null && addresses.has(address) ? BLOCKED : NOT_LISTED;
}

/** The signals whole, also what no rule reads: the gateway that asks is trusted for it. */
function explain(parts: PolicyParts, facts: InputFacts, decision: Decision, trace: DecisionTrace): Explanation {
  return { ...parts.explainer(decision, trace, (input) => input), signals: signalsIn(parts.buildWhole(facts)) };
}
