import type { Batch } from '../../contract/batch.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { Pep } from '../../contract/pep.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { NewId } from '../../contract/stages.ts';
import { JSON_LIMITS, parseJsonBody } from '../json-body.ts';
import { type Evidence, fieldOf, questionOf, type Refused, refuse } from '../question.ts';
import { receiveOffered, type SplitContext, splitContext } from './context.ts';
import { EvaluationBody, EvaluationsBody, type SEMANTICS } from './schema.ts';

/** What is known of a call before its body is read. */
export type Call = {
  readonly pep: Pep;
  readonly newId: NewId;
  /** `X-Request-ID`, or null. */
  readonly requestId: string | null;
  readonly receivedAtMs: number;
  readonly deadlineAtMs: number;
};

/** The questions of a batch in their order, each refused by itself. */
export type ReceivedBatch = { readonly items: readonly (DecisionRequest | Refused)[]; readonly stopAfter: Batch['stopAfter'] };

const STOPS: Readonly<Record<(typeof SEMANTICS)[number], Batch['stopAfter']>> = {
  execute_all: null,
  deny_on_first_deny: 'deny',
  permit_on_first_permit: 'permit',
};

/** Makes the question from the body's bytes, or says why it cannot. Never throws on foreign bytes. */
export function receiveEvaluation(bytes: Uint8Array, call: Call): DecisionRequest | Refused {
  const parsed = parseJsonBody(bytes, JSON_LIMITS);
  return parsed.ok ? receiveOne(parsed.value, bytes.length, call) : refuse(parsed.code, parsed.field);
}

/** The same of a batch; without evaluations it is a single one (section 7.1). */
export function receiveEvaluations(bytes: Uint8Array, call: Call, evaluationsMax: number): DecisionRequest | ReceivedBatch | Refused {
  const parsed = parseJsonBody(bytes, JSON_LIMITS);
  if (!parsed.ok) return refuse(parsed.code, parsed.field);
  const checked = EvaluationsBody.safeParse(parsed.value);
  if (!checked.success) return refuse('request_invalid', fieldOf(checked.error.issues[0]));
  const { evaluations = [], options, ...defaults } = checked.data;
  if (evaluations.length === 0) return receiveOne(parsed.value, bytes.length, call);
  if (evaluations.length > evaluationsMax) return refuse('batch_too_large', 'evaluations');
  const receive = createItemReader(defaults, bytes.length, call);
  return { items: evaluations.map(receive), stopAfter: STOPS[options?.evaluations_semantic ?? 'execute_all'] };
}

function receiveOne(value: unknown, bodyBytes: number, call: Call): DecisionRequest | Refused {
  const checked = EvaluationBody.safeParse(value);
  if (!checked.success) return refuse('request_invalid', fieldOf(checked.error.issues[0]));
  const context = splitContext(checked.data.context, bodyBytes);
  const evidence = receiveOffered(context.offered, call.pep);
  return 'refused' in evidence ? evidence : question(checked.data, context, evidence, call);
}

/**
 * Reads the items of one batch. They ask about one caller, so all have the evidence of the first: an item brings the same in its own context, or none
 * there and then that of the default context counts.
 */
function createItemReader(
  defaults: Omit<EvaluationsBody, 'evaluations' | 'options'>,
  bodyBytes: number,
  call: Call,
): (item: unknown) => DecisionRequest | Refused {
  const shared = splitContext(defaults.context, bodyBytes);
  let kept: { readonly offered: JsonObject | null; readonly text: string; readonly evidence: Evidence | Refused } | null = null;

  function evidenceOf(offered: JsonObject | null): Evidence | Refused {
    if (kept !== null && kept.offered === offered) return kept.evidence;
    const text = JSON.stringify(offered);
    if (kept === null) kept = { offered, text, evidence: receiveOffered(offered, call.pep) };
    return kept.text === text ? kept.evidence : refuse('evidence_differs', 'context');
  }

  return (item) => {
    if (!isJsonObject(item)) return refuse('request_invalid', 'evaluations');
    const checked = EvaluationBody.safeParse({ ...defaults, ...item });
    if (!checked.success) return refuse('request_invalid', fieldOf(checked.error.issues[0]));
    const own = checked.data.context === defaults.context ? shared : splitContext(checked.data.context, bodyBytes);
    const evidence = evidenceOf(own.offered ?? shared.offered);
    return 'refused' in evidence ? evidence : question(checked.data, own, evidence, call);
  };
}

function question(body: EvaluationBody, context: SplitContext, evidence: Evidence, call: Call): DecisionRequest | Refused {
  if (context.tooLarge) return refuse('context_too_large', 'context');
  const { pep, newId, requestId, receivedAtMs, deadlineAtMs } = call;
  const { subject, action, resource } = body;
  const asked = { id: newId(), pep, receivedAtMs, deadlineAtMs, explain: false };
  const about = { subject, action, resource, context: context.rest };
  return questionOf(requestId === null ? evidence : { ...evidence, requestId }, about, asked, 'authzen');
}
