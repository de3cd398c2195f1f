import type { LogFormat, LogSinkStatus } from '../contract/decision-log.ts';
import type { JsonObject } from '../contract/json.ts';
import { ocsfEventOf } from './ocsf-event.ts';
import { type LogLabels, opaEventOf } from './opa-event.ts';

/** What an outlet writes to: lines to a file or a stream, or events to a collector. */
export interface OutletSink {
  write(text: string, must?: boolean): void;
  status(): { readonly written: number; readonly dropped: number };
  health(): {
    readonly state: 'ready' | 'failing' | 'full';
    readonly bufferedBytes: number;
    readonly lost: Partial<LogSinkStatus['lost']>;
    readonly lastError: string | null;
  };
  close(boundMs?: number): Promise<void>;
}

/** A sink with the form of what goes there, and the counts of what does not. */
export interface Outlet {
  readonly name: LogSinkStatus['name'];
  readonly format: LogFormat;
  /** True where it takes a record and will not lose it but by the end of the process. */
  ready(): boolean;
  write(line: JsonObject, must: boolean): void;
  /** Counts a record that could not be made, that there was no room for, or that the policy filters. */
  miss(why: 'failed' | 'buffer_full' | 'filtered'): void;
  status(): LogSinkStatus;
  close(boundMs?: number): Promise<void>;
}

/** Lines end by themselves, events of a batch by the batch. */
export function createOutlet(name: Outlet['name'], format: LogFormat, sink: OutletSink, labels: LogLabels): Outlet {
  const missed = { failed: 0, buffer_full: 0, filtered: 0 };
  const end = name === 'http' ? '' : '\n';
  return {
    name,
    format,
    ready: () => sink.health().state === 'ready',
    write(line, must) {
      const shown = format === 'opa' ? opaEventOf(line, labels) : format === 'ocsf' ? ocsfEventOf(line, labels) : line;
      sink.write(`${jsonText(shown)}${end}`, must);
    },
    miss(why) {
      missed[why] += 1;
    },
    status() {
      const { state, bufferedBytes, lost, lastError } = sink.health();
      const { buffer_full = 0, too_large = 0, refused = 0, shutdown = 0 } = lost;
      return {
        ...{ name, format, state, bufferedBytes, lastError },
        written: sink.status().written,
        lost: { buffer_full: buffer_full + missed.buffer_full, failed: missed.failed, too_large, refused, shutdown },
        filtered: missed.filtered,
      };
    },
    close: (boundMs) => sink.close(boundMs),
  };
}

/** Halves of a surrogate pair, as JSON has to write them: many readers refuse the whole line for one. A backslash before it may be a text's own. */
const HALF = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

function jsonText(value: JsonObject): string {
  const text = JSON.stringify(value);
  return text.includes('\\ud') ? text.replace(HALF, '$1\ufffd') : text;
}
