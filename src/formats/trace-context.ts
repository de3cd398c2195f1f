/* W3C Trace Context (Recommendation of 2021, and the random flag of Level 2). */

/** What a `traceparent` header says. */
export type TraceParent = {
  /** 32 hexadecimal digits in lower case, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits in lower case, not all zero: the caller's span. */
  readonly parentId: string;
  readonly sampled: boolean;
  /** Level 2, section 3.2.2.5.2: the last 56 bits of the trace id are random. */
  readonly random: boolean;
};

const SAMPLED = 0x01;
const RANDOM = 0x02;
/** version - trace-id - parent-id - flags; a later version may say more behind another dash (section 3.2.2). */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NOTHING = /^0+$/;
const VERSION_0 = '00';
const VERSION_INVALID = 'ff';

/**
 * Reads the one line of a `traceparent`; null where it is to be ignored and a new trace begun: wrong lengths, upper case, zeros,
 * version `ff`, more than four parts in version 00 (section 3.2 and 4.3). Two lines joined by a comma are none.
 */
export function parseTraceparent(line: string): TraceParent | null {
  const found = TRACEPARENT.exec(line);
  if (found === null) return null;
  const [, version, traceId = '', parentId = '', flags = '', more] = found;
  if (version === VERSION_INVALID || (version === VERSION_0 && more !== undefined)) return null;
  if (NOTHING.test(traceId) || NOTHING.test(parentId)) return null;
  const bits = Number.parseInt(flags, 16);
  // of a version that is not known only the flag that is certain counts (section 4.3)
  return { traceId, parentId, sampled: (bits & SAMPLED) !== 0, random: version === VERSION_0 && (bits & RANDOM) !== 0 };
}

/** The 8 bits of the flags. */
export function traceFlags({ sampled, random }: { readonly sampled: boolean; readonly random: boolean }): number {
  return (sampled ? SAMPLED : 0) | (random ? RANDOM : 0);
}

/** A `traceparent` of version 00. */
export function traceparentText(traceId: string, spanId: string, flags: number): string {
  return `${VERSION_0}-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

const MEMBERS_MAX = 32;
/** What is handed on at least (section 3.3.1.5); more is cut there as the section says. */
const STATE_MAX = 512;
const MEMBER_LONG = 128;
/** Keys of both levels: `tenant@system`, and plain ones of 256 characters at most that begin with a letter or digit. */
const KEY = /^(?:[a-z0-9][a-z0-9_*/@-]{0,255})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * The list of a `tracestate`, several lines joined by commas in order, in the form in which it is handed on; empty where there is none or where
 * it is malformed: a member without a key or value, a key twice, more than 32 members. Members are not looked into.
 */
export function readTracestate(lines: string): string {
  const members: string[] = [];
  const keys = new Set<string>();
  for (const part of lines.split(',')) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, '');
    if (member === '') continue;
    const at = member.indexOf('=');
    const key = member.slice(0, Math.max(0, at));
    if (!KEY.test(key) || !VALUE.test(member.slice(at + 1)) || keys.has(key) || keys.size >= MEMBERS_MAX) return '';
    keys.add(key);
    members.push(member);
  }
  return bounded(members).join(',');
}

/** Long members go first, then those at the end, which were written longest ago. */
function bounded(members: readonly string[]): readonly string[] {
  const length = (list: readonly string[]): number => list.reduce((sum, one) => sum + one.length + 1, -1);
  if (length(members) <= STATE_MAX) return members;
  const kept = members.filter((one) => one.length <= MEMBER_LONG);
  while (length(kept) > STATE_MAX) kept.pop();
  return kept;
}
