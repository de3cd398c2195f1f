import type { LogRules } from '../contract/decision-log.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { DecisionRecord } from '../contract/record.ts';
import type { Clock } from '../contract/stages.ts';
import type { Outlet } from './log-outlet.ts';
import { maskEvent, parseMaskRules } from './mask-event.ts';
import { type LogLabels, lineOfEvent, opaEventOf } from './opa-event.ts';
import type { Pseudonymise } from './pseudonyms.ts';

/** A line that is to be written, and how it is made: at once, or later where a policy has to say something of it. */
export type LogItem = {
  readonly make: () => object;
  readonly record: DecisionRecord;
  /** What is kept of a record that must be, where it cannot be made: without its input. Left out: nothing. */
  readonly bare?: () => object;
  /** Lines of our own kind alone: differences of candidates are no decisions. */
  readonly native: boolean;
};

export type DecisionLogOptions = { readonly outlets: readonly Outlet[]; readonly labels: LogLabels; readonly required: boolean };

export type DecisionLogParts = {
  readonly pseudonymise: Pseudonymise | null;
  /** After what is to be done now. */
  readonly later: (work: () => void) => void;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly onFailed: (thrown: unknown) => void;
};

/** Records on their way to the sinks. */
export interface DecisionLog {
  /** False where a record could be lost: only asked where none may be. */
  ready(): boolean;
  /** Takes an item; one that must be kept is kept whatever is full. Never throws. */
  take(item: LogItem, must: boolean): void;
  /** Records that were kept without what their policy would have masked. */
  maskFailures(): number;
  /** Makes and writes what waits for its masks. */
  flush(): void;
}

type Waiting = { readonly item: LogItem; readonly rules: LogRules; readonly must: boolean };

/** Records that wait for their masks: each holds on to its request. */
const WAITING_MAX = 2048;
/** Others are served in between. */
const TURN_MS = 4;
/** What says of whom a record is, and goes where the policy could not say what is to be masked. */
const PERSONAL: ReadonlySet<string> = new Set(['subject', 'actors', 'api_key', 'address', 'request', 'request_id']);

/** Makes lines and hands them to every outlet. Where the policy says nothing of its records this is done at once, else off the path. */
export function createDecisionLog({ outlets, labels, required }: DecisionLogOptions, parts: DecisionLogParts): DecisionLog {
  const { pseudonymise, later, clock, onFailed } = parts;
  let waiting: Waiting[] = [];
  let begun = false;
  let failures = 0;

  function missed(native: boolean, why: Parameters<Outlet['miss']>[0]): void {
    for (const outlet of outlets) if (!native || outlet.format === 'countersign') outlet.miss(why);
  }

  function lineOf(record: DecisionRecord, make: LogItem['make']): JsonObject {
    const made: unknown = make();
    const line = isJsonObject(made) ? made : {};
    return pseudonymise === null ? line : pseudonymise(line, record);
  }

  /** To each by itself: what one cannot take is in the others, and is counted once. */
  function give(line: JsonObject, { native }: LogItem, must: boolean): void {
    for (const outlet of outlets) {
      if (native && outlet.format !== 'countersign') continue;
      try {
        outlet.write(line, must);
      } catch (thrown) {
        outlet.miss('failed');
        onFailed(thrown);
      }
    }
  }

  function write(item: LogItem, rules: LogRules | null, must: boolean): void {
    try {
      const line = lineOf(item.record, item.make);
      const shown = rules === null ? line : filtered(line, rules);
      if (shown === null) missed(item.native, 'filtered');
      else give(shown, item, must);
    } catch (thrown) {
      onFailed(thrown);
      if (item.bare === undefined) missed(item.native, 'failed');
      else writeBare(item, item.bare, rules !== null, must);
    }
  }

  function writeBare(item: LogItem, bare: () => object, masked: boolean, must: boolean): void {
    try {
      const line = lineOf(item.record, bare);
      give(masked ? withoutPersonal(line) : line, item, must);
    } catch (thrown) {
      missed(item.native, 'failed');
      onFailed(thrown);
    }
  }

  /** Null where the record is not kept. A drop rule that fails drops nothing; a mask that fails takes all that it could be about. */
  function filtered(line: JsonObject, rules: LogRules): JsonObject | null {
    const event = opaEventOf(line, labels);
    try {
      if (rules.drop(event)) return null;
    } catch (thrown) {
      failures += 1;
      onFailed(thrown);
    }
    try {
      const said = rules.mask(event);
      if (said === null) return line;
      const read = parseMaskRules(said);
      if (read === null) throw new Error('the mask rules do not have the required form');
      if (read.length === 0) return line;
      const masked = maskEvent(event, read);
      return lineOfEvent(line, masked.event, masked.erased, masked.masked);
    } catch (thrown) {
      failures += 1;
      onFailed(thrown);
      return withoutPersonal(line);
    }
  }

  function work(untilMs: number): void {
    let at = 0;
    for (; at < waiting.length && clock.monotonic() < untilMs; at += 1) {
      const one = waiting[at];
      if (one !== undefined) write(one.item, one.rules, one.must);
    }
    waiting = waiting.slice(at);
    begun = waiting.length > 0;
    if (begun) later(turn);
  }

  const turn = (): void => work(clock.monotonic() + TURN_MS);

  return {
    ready: () => waiting.length < WAITING_MAX && outlets.every((outlet) => outlet.ready()),
    take(item, must) {
      const rules = item.record.logRules ?? null;
      if (rules === null) {
        write(item, null, must);
      } else if (waiting.length >= WAITING_MAX && !must) {
        missed(item.native, 'buffer_full');
      } else {
        waiting.push({ item, rules, must: must && required });
        if (begun) return;
        begun = true;
        later(turn);
      }
    },
    maskFailures: () => failures,
    flush: () => work(Number.POSITIVE_INFINITY),
  };
}

function withoutPersonal(line: JsonObject): JsonObject {
  const kept = Object.entries(line).filter(([name]) => !PERSONAL.has(name));
  const erased = Object.keys(line).filter((name) => PERSONAL.has(name));
  return { ...Object.fromEntries(kept), input: null, erased: ['/input', ...erased.map((name) => `/result/${name}`)] };
}
