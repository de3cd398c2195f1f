import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { Pep } from '../../contract/pep.ts';
import { contextFits, type Evidence, fieldOf, type Refused, receiveEvidence, refuse } from '../question.ts';
import { ContextEvidence, EVIDENCE_NAMES } from './schema.ts';

/** A context in two: what the gateway hands on of its client's request, which no policy reads as it came, and what is context. */
export type SplitContext = {
  /** Null where nothing is offered. */
  readonly offered: JsonObject | null;
  /** Undefined where there is no context at all. */
  readonly rest: JsonObject | undefined;
  /** What is left of it is larger or deeper than it may be. */
  readonly tooLarge: boolean;
};

const NO_CONTEXT: SplitContext = { offered: null, rest: undefined, tooLarge: false };

/** Takes the evidence out of a context, also what the gateway is not trusted for: credentials never enter the input of a policy. */
export function splitContext(context: JsonObject | undefined, bodyBytes: number): SplitContext {
  if (context === undefined) return NO_CONTEXT;
  const offered: [string, JsonValue][] = [];
  for (const name of EVIDENCE_NAMES) {
    const value = Object.hasOwn(context, name) ? context[name] : undefined;
    if (isJsonObject(value) || (name === 'token' && typeof value === 'string')) offered.push([name, value]);
  }
  if (offered.length === 0) return { offered: null, rest: context, tooLarge: !contextFits(context, bodyBytes) };
  const taken = new Set(offered.map(([name]) => name));
  const rest = Object.fromEntries(Object.entries(context).filter(([name]) => !taken.has(name)));
  return { offered: Object.fromEntries(offered), rest, tooLarge: !contextFits(rest, bodyBytes) };
}

/** The evidence that a context offers. Members in it that are not known are ignored; one of a wrong form is refused by its path. */
export function receiveOffered(offered: JsonObject | null, pep: Pep): Evidence | Refused {
  if (offered === null) return receiveEvidence({}, pep);
  const checked = ContextEvidence.safeParse(offered);
  if (!checked.success) return refuse('request_invalid', `context.${fieldOf(checked.error.issues[0])}`);
  const { token, ...others } = checked.data;
  const evidence = receiveEvidence(typeof token === 'string' ? others : { ...others, token }, pep);
  if ('refused' in evidence) return { ...evidence, field: `context.${evidence.field ?? 'request'}` };
  if (typeof token !== 'string') return evidence;
  const { credentials } = evidence;
  // beside one in the request's own headers it is a second one, which is refused as it is there
  return { ...evidence, credentials: { ...credentials, authorization: [...credentials.authorization, `Bearer ${token}`] } };
}
