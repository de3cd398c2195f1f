import type { AssuranceLevel } from '../../contract/identity.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { type DecisionRequest, type HttpFacts, REQUEST_FLAGS, type RequestFlag } from '../../contract/request.ts';
import type { Route } from '../../contract/route.ts';
import { compileInput, type InputFacts } from '../input.ts';
import type { InputOptions } from '../options.ts';
import { SMOKE_FACTS } from '../smoke.ts';
import type { RecordedDecision } from './recorded-decision.ts';

/* A record's input with what the rest of its line says: that is there also where the rules of that time did not look at it. */

/** What a line says of every question. */
const ALWAYS = [['version'], ['id'], ['time'], ['pep'], ['subject', 'type'], ['subject', 'id'], ['subject', 'asserted']];
const HTTP = ['method', 'host', 'path', 'segments', 'flags'];
const NO_HTTP = ['method', 'scheme', 'host', 'path', 'path_raw', 'segments', 'query', 'headers', 'headers_all', 'flags', 'body'];
const EVIDENCE = [['evidence', 'methods'], ['evidence', 'assurance'], ['route']];

const LEVELS: readonly AssuranceLevel[] = [0, 1, 2, 3, 4];
/** What a line cuts off ends so. */
const CUT = '…';
/** The path is not the whole one. */
const CAPPED: readonly RequestFlag[] = ['segments_capped', 'path_too_long'];
const NO_CLIENT: JsonObject = {};

/** The question as a line holds it; `whole`: its target is all there, and a catalogue can be asked about it. */
export type KnownRequest = { readonly request: DecisionRequest; readonly whole: boolean };

/** The question as far as a line has it. */
export function knownRequest(record: RecordedDecision): KnownRequest {
  const base = SMOKE_FACTS.request;
  const { request: asked } = record;
  const flags = asked === null ? [] : REQUEST_FLAGS.filter((flag) => asked.flags.includes(flag));
  const http = httpOf(record);
  const whole = asked === null || (http !== null && isWhole(asked, flags));
  const request = { ...base, id: record.id, receivedAtMs: record.receivedAtMs, pep: { ...base.pep, name: record.pep }, flags, http };
  return { request, whole };
}

function httpOf({ request: asked, route }: RecordedDecision): HttpFacts | null {
  if (asked === null) return null;
  const path = asked.path ?? '';
  return {
    method: asked.method,
    scheme: '',
    host: asked.host,
    port: null,
    path,
    pathRaw: path,
    segments: path === '*' ? [] : path.split('/').filter((segment) => segment !== ''),
    query: new Map(),
    headers: new Map(),
    body: { status: 'absent', reason: null, contentType: null, size: null, json: null },
    // where a parameter of a segment made it so the line hides that, and the path is not whole
    pathAmbiguous: route?.status === 'ambiguous',
  };
}

function isWhole({ path, host, method }: NonNullable<RecordedDecision['request']>, flags: readonly RequestFlag[]): boolean {
  if (path === null || path.includes('***') || flags.some((flag) => CAPPED.includes(flag))) return false;
  return ![path, host, method].some((text) => text.endsWith(CUT));
}

/** Makes, once, the function that adds to a record's input; the route is the one that is handed in. */
export function createKnownInput(
  options: InputOptions,
): (record: RecordedDecision, input: JsonObject, request: KnownRequest, route: Route | null) => JsonObject {
  const withHttp = compileInput(options, [...ALWAYS, ...EVIDENCE, ...HTTP.map((name) => ['request', name])]);
  const without = compileInput(options, [...ALWAYS, ...EVIDENCE, ...NO_HTTP.map((name) => ['request', name])]);
  return (record, input, { request, whole }, route) => {
    const built = (record.request === null ? without : withHttp)(factsOf(record, request, route));
    const merged: Record<string, JsonValue> = { ...input };
    for (const [name, value] of Object.entries(built)) {
      const kept = input[name];
      if (!isJsonObject(value)) merged[name] = kept ?? value;
      else if (name !== 'route') merged[name] = { ...known(name, value, record, whole), ...(isJsonObject(kept) ? kept : {}) };
      else if (route !== null) merged[name] = value;
    }
    merged['signals'] = signalsOf(record, input['signals']);
    // all that are configured are in every line
    if (input['sources'] === undefined && ![...record.signals.keys()].some((name) => name.startsWith('sources.'))) merged['sources'] = {};
    // older lines know nothing of it
    if (input['mcp'] === undefined && route?.mcp === undefined) merged['mcp'] = null;
    return merged;
  };
}

/** Of a group what the line really says. */
function known(name: string, value: JsonObject, { request, subject }: RecordedDecision, whole: boolean): JsonObject {
  if (name === 'subject') return { ...value, ...(subject?.client === null ? { client: null } : NO_CLIENT) };
  if (name !== 'request' || request === null || whole) return value;
  // a path that hides something is shown, so that it is called hidden and not lost
  const { path, segments, ...rest } = value;
  return typeof path === 'string' && path.includes('***') && !path.endsWith(CUT) ? { ...rest, path, segments: segments ?? [] } : rest;
}

function factsOf(record: RecordedDecision, request: DecisionRequest, route: Route | null): InputFacts {
  const { identity } = SMOKE_FACTS;
  const assurance = LEVELS.find((level) => level === record.assurance) ?? 0;
  return {
    ...SMOKE_FACTS,
    request,
    route: route ?? SMOKE_FACTS.route,
    identity: {
      ...identity,
      subject: { ...identity.subject, ...subjectOf(record) },
      evidence: { ...identity.evidence, methods: [...record.evidence], assurance },
    },
  };
}

function subjectOf({ subject }: RecordedDecision): Pick<NonNullable<RecordedDecision['subject']>, 'type' | 'id' | 'asserted'> {
  return { type: subject?.type ?? 'client', id: subject?.id ?? null, asserted: subject?.asserted ?? false };
}

/** The state of every signal is in each line. */
function signalsOf({ signals }: RecordedDecision, kept: JsonValue | undefined): JsonObject {
  const all: Record<string, JsonValue> = { ...(isJsonObject(kept) ? kept : {}) };
  for (const [name, { status, code }] of signals) {
    if (name.includes('.')) continue;
    const one = all[name];
    all[name] = { status, ...(code === null ? {} : { code }), ...(isJsonObject(one) ? one : {}) };
  }
  return all;
}
