import type { Signal } from '../../contract/signals.ts';
import type { SourceCode, SourceValue } from '../../contract/sources.ts';
import { parseStrictJson } from '../../formats/strict-json.ts';
import type { ExchangeAnswer } from '../../stores/guarded-exchange.ts';
import type { PickAttributes } from './attributes.ts';

export type SourceSignal = Signal<SourceValue, SourceCode>;

/** What an answer says, and whether whoever gave it works: one odd answer about one subject says nothing about the next. */
export type Judged = { readonly signal: SourceSignal; readonly works: boolean };

const LIMITS = { depthMax: 32, keysMax: 10_000 };
const JSON_TYPE = /^application\/([a-z0-9.!#$&^_-]+\+)?json\s*(;|$)/i;
/** Our credentials, the number of our questions, an endpoint that is none: so ends every question. */
const OF_ANY_QUESTION = new Set([401, 403, 405, 407, 408, 410, 421, 425, 429]);

/** Judges an answer; never throws. */
export function judgeAnswer(
  answer: ExchangeAnswer,
  {
    pick,
    notFound,
    nowSeconds,
  }: { readonly pick: PickAttributes; readonly notFound: 'absent' | 'unavailable'; readonly nowSeconds: number },
): Judged {
  if (!answer.ok) {
    if (answer.failure === 'too_large') return invalid('answer_too_large');
    if (answer.failure === 'content_encoding') return invalid('answer_content_encoding');
    return { signal: { status: 'unavailable', code: answer.failure }, works: false };
  }
  const { status } = answer;
  if (status === 404 && notFound === 'absent') return { signal: { status: 'absent', code: 'not_found' }, works: true };
  if (status !== 200) return { signal: { status: 'unavailable', code: 'status' }, works: status < 500 && !OF_ANY_QUESTION.has(status) };
  if (answer.contentType === null || !JSON_TYPE.test(answer.contentType)) return invalid('answer_content_type');
  const parsed = parseStrictJson(answer.bytes, LIMITS);
  if (!parsed.ok) return invalid('answer_not_json');
  const attributes = pick(parsed.value);
  if (typeof attributes === 'string') return invalid(attributes);
  return { signal: { status: 'present', value: { attributes, fetchedAt: nowSeconds } }, works: true };
}

function invalid(code: SourceCode): Judged {
  return { signal: { status: 'invalid', code }, works: true };
}
