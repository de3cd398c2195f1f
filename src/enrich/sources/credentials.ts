import type { Clock } from '../../contract/stages.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import type { SourceHeader } from './options.ts';

const SECRET_BYTES_MAX = 16_384;
/** A secret that was replaced in its file serves this long after; one that is refused is read again at once. */
const KEPT_MS = 10_000;
/** Visible ASCII with spaces within (RFC 9110 section 5.5). */
const VALUE = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;

/** The headers of every question. */
export interface SourceHeaders {
  /** Null where a file cannot be read or holds what no header can. */
  current(): Promise<Readonly<Record<string, string>> | null>;
  /** Says that they were not accepted: the files are read again. */
  refused(): void;
}

/** Reads secrets from their files, and again as they change; the last good ones stay. */
export function createSourceHeaders(
  headers: readonly SourceHeader[],
  { readFile, clock }: { readonly readFile: ReadDocumentFile; readonly clock: Clock },
): SourceHeaders {
  let known: Readonly<Record<string, string>> | null = null;
  let untilMs = Number.NEGATIVE_INFINITY;

  async function load(): Promise<Readonly<Record<string, string>> | null> {
    const read: Record<string, string> = {};
    for (const { name, prefix, value, valueFile } of headers) {
      const text = valueFile === null ? value : (await readFile(valueFile, SECRET_BYTES_MAX)).toString('latin1').trimEnd();
      if (text === null || !VALUE.test(`${prefix}${text}`) || text === '') return null;
      read[name] = `${prefix}${text}`;
    }
    return read;
  }

  return {
    async current() {
      if (known !== null && clock.monotonic() < untilMs) return known;
      untilMs = clock.monotonic() + KEPT_MS;
      // no cause is kept: a reader's message may quote the file
      known = (await load().catch(() => null)) ?? known;
      return known;
    },
    refused() {
      untilMs = Number.NEGATIVE_INFINITY;
    },
  };
}
