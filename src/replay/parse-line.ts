import { isUtf8 } from 'node:buffer';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { TIERS } from '../contract/route.ts';
import type { RecordedDecision } from '../decide/recorded/recorded-decision.ts';

/** What a line is: a decision, something else that is in such a file on purpose, or damaged. */
export type ParsedLine =
  | { readonly kind: 'decision'; readonly record: RecordedDecision }
  | { readonly kind: 'other' }
  | { readonly kind: 'damaged'; readonly problem: DamagedLine };

/** `form`: JSON, and called a decision, but without the members that every decision has. */
export type DamagedLine = 'not_utf8' | 'not_json' | 'form' | 'too_long' | 'gzip_broken';

const EFFECTS = ['allow', 'deny', 'step_up'] as const;
const ROUTE_STATES = ['matched', 'unknown', 'ambiguous', 'none'] as const;

/** Reads one line of the decision log, of this version or of another one: members that are not needed are not looked at. Never throws. */
export function parseLine(bytes: Buffer): ParsedLine {
  if (!isUtf8(bytes)) return { kind: 'damaged', problem: 'not_utf8' };
  let line: JsonValue;
  try {
    line = JSON.parse(bytes.toString('utf8'));
  } catch {
    return bytes.toString('latin1').trim() === '' ? { kind: 'other' } : { kind: 'damaged', problem: 'not_json' };
  }
  if (!isJsonObject(line) || line['kind'] !== 'decision') return { kind: 'other' };
  const record = recordOf(line);
  return record === null ? { kind: 'damaged', problem: 'form' } : { kind: 'decision', record };
}

function recordOf(line: JsonObject): RecordedDecision | null {
  const { decision_id: id, pep, policy, reasons, status, input = null } = line;
  const receivedAtMs = typeof line['time'] === 'string' ? Date.parse(line['time']) : Number.NaN;
  const effect = EFFECTS.find((one) => one === line['effect']);
  const codes = texts(reasons);
  if (typeof id !== 'string' || typeof pep !== 'string' || Number.isNaN(receivedAtMs) || effect === undefined) return null;
  if (!isJsonObject(policy) || codes === null || codes.length === 0) return null;
  const { name, revision } = policy;
  if (typeof name !== 'string' || typeof revision !== 'string' || !isNumberOrNull(status)) return null;
  if (input !== null && !isJsonObject(input)) return null;
  const { assurance, address = null, error = null } = line;
  return {
    id,
    receivedAtMs,
    pep,
    policy: { name, revision },
    request: requestOf(line['request']),
    route: routeOf(line['route']),
    subject: subjectOf(line['subject']),
    evidence: texts(line['evidence']) ?? [],
    assurance: isJsonObject(assurance) && typeof assurance['level'] === 'number' ? assurance['level'] : 0,
    address: typeof address === 'string' ? address : null,
    signals: signalsOf(line['signals']),
    effect,
    monitoredBy: line['enforced'] !== false || effect === 'allow' ? null : line['monitored_by'] === 'pep' ? 'pep' : 'route',
    reasons: codes,
    status,
    excepted: Array.isArray(line['exceptions']) && line['exceptions'].length > 0,
    error: isJsonObject(error) && typeof error['code'] === 'string' ? error['code'] : null,
    // what was taken away or replaced is neither known nor absent, in the input and beside it
    input: isMasked(line) ? null : input,
  };
}

function isMasked({ erased, masked }: JsonObject): boolean {
  return [erased, masked].some((list) => Array.isArray(list) && list.length > 0);
}

function requestOf(value: JsonValue | undefined): RecordedDecision['request'] {
  if (!isJsonObject(value)) return null;
  const { method, host, path = null } = value;
  if (typeof method !== 'string' || typeof host !== 'string') return { method: '', host: '', path: null, flags: [] };
  return { method, host, path: typeof path === 'string' ? path : null, flags: texts(value['flags']) ?? [] };
}

function routeOf(value: JsonValue | undefined): RecordedDecision['route'] {
  if (!isJsonObject(value)) return null;
  const status = ROUTE_STATES.find((one) => one === value['status']);
  const tier = TIERS.find((one) => one === value['tier']);
  const { id } = value;
  return status === undefined || tier === undefined || typeof id !== 'string' ? null : { status, tier, id };
}

function subjectOf(value: JsonValue | undefined): RecordedDecision['subject'] {
  if (!isJsonObject(value) || typeof value['type'] !== 'string') return null;
  const { type, id = null, client = null } = value;
  return { type, id: textOrNull(id), client: textOrNull(client), asserted: value['asserted'] === true };
}

function signalsOf(value: JsonValue | undefined): RecordedDecision['signals'] {
  const states = new Map<string, { readonly status: string; readonly code: string | null }>();
  for (const [name, state] of Object.entries(isJsonObject(value) ? value : {})) {
    if (!isJsonObject(state) || typeof state['status'] !== 'string') continue;
    states.set(name, { status: state['status'], code: textOrNull(state['code'] ?? null) });
  }
  return states;
}

function texts(value: JsonValue | undefined): readonly string[] | null {
  return Array.isArray(value) && value.every((one: JsonValue) => typeof one === 'string') ? value : null;
}

function textOrNull(value: JsonValue): string | null {
  return typeof value === 'string' ? value : null;
}

function isNumberOrNull(value: JsonValue | undefined): value is number | null {
  return value === null || typeof value === 'number';
}
