import type { JsonObject, JsonValue } from '../contract/json.ts';

/** Who speaks, in every event: OPA's labels. */
export type LogLabels = Readonly<Record<string, string>>;

/** Members of a line that are told beside the result. */
const BESIDE: ReadonlySet<string> = new Set([
  'kind',
  'time',
  'decision_id',
  'policy',
  'times_ms',
  'input',
  'pep',
  'erased',
  'masked',
  'trace_id',
  'span_id',
]);
const NS_A_MILLISECOND = 1_000_000;

/**
 * A line of the decision log as an event of OPA's, as its collectors take it. `result` is all that was decided and found out, by the names
 * of the line; masks speak of `/input` and `/result`.
 */
export function opaEventOf(line: JsonObject, labels: LogLabels): JsonObject {
  const { decision_id = '', time = '', policy = null, pep = '', input = null, error = null } = line;
  const { name, revision } = namesOf(policy);
  const result = Object.fromEntries(Object.entries(line).filter(([member]) => !BESIDE.has(member)));
  const list = (member: string): JsonObject => (line[member] === undefined ? {} : { [member]: line[member] });
  return {
    labels: { ...labels },
    decision_id,
    ...list('trace_id'),
    ...list('span_id'),
    bundles: { [name]: { revision } },
    path: `countersign/${name}`,
    ...(input === null ? {} : { input }),
    result,
    requested_by: pep,
    timestamp: time,
    metrics: metricsOf(line['times_ms'] ?? null),
    ...list('erased'),
    ...list('masked'),
    ...(error === null ? {} : { error }),
  };
}

/** The line that an event was made of, with what its masks have left. */
export function lineOfEvent(line: JsonObject, event: JsonObject, erased: readonly string[], masked: readonly string[]): JsonObject {
  const { input = null, result = null } = event;
  const kept = Object.entries(line).filter(([member]) => BESIDE.has(member));
  const decided = typeof result === 'object' && result !== null && !Array.isArray(result) ? Object.entries(result) : [];
  return {
    ...Object.fromEntries<JsonValue>(kept),
    // what a mask puts there must not take the place of what is beside the result
    ...Object.fromEntries<JsonValue>(decided.filter(([member]) => !BESIDE.has(member))),
    input,
    ...(erased.length === 0 ? {} : { erased: [...erased] }),
    ...(masked.length === 0 ? {} : { masked: [...listOf(line['masked']), ...masked] }),
  };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function namesOf(policy: JsonValue): { readonly name: string; readonly revision: string } {
  if (typeof policy !== 'object' || policy === null || !('name' in policy) || !('revision' in policy)) return { name: '', revision: '' };
  const { name, revision } = policy;
  return { name: typeof name === 'string' ? name : '', revision: typeof revision === 'string' ? revision : '' };
}

/** Nanoseconds by OPA's names: of the evaluation, and of all of it. */
function metricsOf(times: JsonValue): JsonObject {
  if (typeof times !== 'object' || times === null || !('decide' in times) || !('total' in times)) return {};
  return { timer_rego_query_eval_ns: nanoseconds(times['decide']), timer_server_handler_ns: nanoseconds(times['total']) };
}

function nanoseconds(milliseconds: JsonValue | undefined): number {
  return typeof milliseconds === 'number' ? Math.round(milliseconds * NS_A_MILLISECOND) : 0;
}
