import type { CountersignError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/stages.ts';
import type { ReadChangedFile } from '../../stores/changed-file.ts';
import type { HttpFetchChanged, HttpValidators } from '../../stores/http-fetch.ts';
import type { ListOptions } from './options.ts';

/** Bytes of a list as its file or its server has them now. */
export type ListRevision = {
  readonly bytes: Buffer;
  /** When it was last known to be the current one, on the monotonic scale: of a file when it was written, of a URL now. */
  readonly currentAtMs: number;
  /** How to ask whether it still is. */
  readonly mark: { readonly version: string } | { readonly validators: HttpValidators };
};

/** Where a list comes from, asked in a way that costs next to nothing while nothing changes. */
export interface ListDocument {
  /** Null where the source still has what was `seen`; rejects with `fetch_*`. */
  load(): Promise<ListRevision | null>;
  /** Remembers a revision that was looked at, and why it was refused. A refused one of a URL is fetched again. */
  seen(revision: ListRevision, refusal: CountersignError | null): void;
  /** Of what was seen, as of now. */
  currentAtMs(): number;
  refusal(): CountersignError | null;
}

export type ListDocumentParts = { readonly clock: Clock; readonly readFile: ReadChangedFile; readonly fetch: HttpFetchChanged };

/** `signal` ends a fetch at shutdown. */
export function createListDocument(options: ListOptions, { clock, readFile, fetch }: ListDocumentParts, signal: AbortSignal): ListDocument {
  const { file, url, bytesMax, fetchTimeoutMs } = options;
  let last: { readonly revision: Pick<ListRevision, 'mark' | 'currentAtMs'>; readonly refusal: CountersignError | null } | null = null;

  async function ofFile(path: string): Promise<ListRevision | null> {
    const mark = last?.revision.mark;
    const found = await readFile(path, bytesMax, mark !== undefined && 'version' in mark ? mark.version : null);
    if (found === null) return null;
    const { bytes, version, modifiedAtMs } = found;
    return { bytes, mark: { version }, currentAtMs: clock.monotonic() - Math.max(0, clock.now() - modifiedAtMs) };
  }

  async function ofUrl(address: string): Promise<ListRevision | null> {
    const mark = last?.revision.mark;
    const limits = { timeoutMs: fetchTimeoutMs, bytesMax, headers: { accept: 'text/plain, */*;q=0.5' }, signal };
    const found = await fetch(address, limits, mark !== undefined && 'validators' in mark ? mark.validators : null);
    if (found === null) return null;
    return { bytes: found.bytes, mark: { validators: found.validators }, currentAtMs: clock.monotonic() };
  }

  return {
    load: () => (file === null ? ofUrl(url ?? '') : ofFile(file)),
    seen({ mark, currentAtMs }, refusal) {
      if (refusal === null || 'version' in mark) last = { revision: { mark, currentAtMs }, refusal };
    },
    currentAtMs: () => (file === null || last === null ? clock.monotonic() : last.revision.currentAtMs),
    refusal: () => last?.refusal ?? null,
  };
}
