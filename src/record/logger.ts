import { pino } from 'pino';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { Logger } from '../contract/stages.ts';
import { errorText } from './error-text.ts';
import { HIDDEN, isSecretName } from './redact.ts';
import { createLineSink, type LineSink, type SinkTarget } from './sink.ts';

/** What the operational log is configured by. */
export type LoggerOptions = { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };

const STDERR = { fd: 2 };
const BUFFER_BYTES_MAX = 1 << 20;
const DEPTH_MAX = 5;
const TEXT_MAX = 2000;
const LIST_MAX = 100;

/**
 * The operational log: one JSON object a line with `level`, `time`, `kind: "log"` and `event`, by default on stderr.
 * Errors among the fields become text without values, values under the name of a secret are hidden, and nothing grows without bound.
 */
export function createLogger(options: LoggerOptions, target: SinkTarget = STDERR): Logger & Pick<LineSink, 'status' | 'close'> {
  // where the operational log itself cannot be written there is nowhere left to say so; its status counts what is lost
  const sink = createLineSink(target, { bufferBytesMax: BUFFER_BYTES_MAX, batch: false, onError: () => {} });
  const lines = pino(
    {
      level: options.level,
      base: { kind: 'log' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(line) },
  );
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (lines.isLevelEnabled(level)) lines[level]({ event, ...shownFields(fields) });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), status: sink.status, close: sink.close };
}

const OWN_NAMES = new Set(['level', 'time', 'kind', 'event']);

function shownFields(fields: Readonly<Record<string, unknown>>): Record<string, JsonValue> {
  const shown: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(fields)) shown[OWN_NAMES.has(name) ? `field_${name}` : name] = shownMember(name, value, 0);
  return shown;
}

function shownMember(name: string, value: unknown, depth: number): JsonValue {
  const secret = isSecretName(name) && (typeof value === 'string' || typeof value === 'number' || Array.isArray(value));
  return secret ? HIDDEN : shownValue(value, depth);
}

function shownValue(value: unknown, depth: number): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean') return value;
  if (value instanceof Error) return errorText(value);
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) return value.slice(0, LIST_MAX).map((item) => shownValue(item, depth + 1));
  if (!isJsonObject(value)) return typeof value === 'bigint' ? String(value) : `a ${typeof value}`;
  const entries = Object.entries(value).slice(0, LIST_MAX);
  return Object.fromEntries(entries.map(([name, part]) => [name, shownMember(name, part, depth + 1)]));
}
