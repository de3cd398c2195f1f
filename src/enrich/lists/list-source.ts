import { asCountersignError, CountersignError } from '../../contract/errors.ts';
import type { ListStatus } from '../../contract/lists.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { ReadChangedFile } from '../../stores/changed-file.ts';
import type { HttpFetchChanged } from '../../stores/http-fetch.ts';
import { createListDocument, type ListRevision } from './list-document.ts';
import type { NamedList } from './named-list.ts';
import type { ListOptions } from './options.ts';
import { hashList, type ListContent, parseList } from './parse-list.ts';
import { createSlices } from './slices.ts';

export type ListSourceParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readFile: ReadChangedFile;
  readonly fetch: HttpFetchChanged;
  /** 0 to 1, anew each time: replicas that start together shall not ask a server together. */
  readonly random: () => number;
  /** Runs work that needs the processor: of all lists one after the other, or their slices would add up. */
  readonly exclusive: (work: () => Promise<void>) => Promise<void>;
  /** Takes content into use, from within `exclusive`; calls back in the moment in which requests begin to see it. */
  readonly publish: (content: ListContent, inUse: () => void) => Promise<void>;
  /** Whether an operator accepts this content though it shrank. */
  readonly accepts: (sha256: string) => boolean;
};

/** A configured list that is read again and again; what was good last stays in use, however its source fails. */
export interface ListSource extends NamedList {
  /** Loads, and from then on polls until `stop`; the promise is that of the first attempt and never rejects. */
  start(): Promise<void>;
  stop(): void;
  /** Asks again whether what is held back is accepted; never rejects. */
  reconsider(): Promise<void>;
}

/** Content with its name, and the time that its age counts from, on the monotonic scale. */
type Held = { readonly content: ListContent; readonly sha256: string; currentAtMs: number };

const FILE_EVERY_MS = 2000;
const RETRY_FIRST_MS = 15_000;
const RETRY_DOUBLINGS_MAX = 4;

/** Nothing is loaded before `start`. */
export function createListSource(options: ListOptions, parts: ListSourceParts): ListSource {
  const { name, kind, tags, kinds, ageMaxSeconds, shrinkMax } = options;
  const { clock, logger, accepts, publish, exclusive } = parts;
  const stopping = new AbortController();
  const document = createListDocument(options, parts, stopping.signal);
  let timer: NodeJS.Timeout | undefined;
  let active: Held | null = null;
  let heldBack: Held | null = null;
  let failure: CountersignError | null = null;
  let failures = 0;

  /** One piece of work after the other: content that was accepted must not be put over newer one. */
  let work: Promise<void> = Promise.resolve();
  function inTurn(task: () => Promise<void>): Promise<void> {
    work = work.then(task);
    return work;
  }

  const attempt = (): Promise<void> => inTurn(load);

  async function load(): Promise<void> {
    try {
      const revision = await document.load();
      if (revision === null) settled(document.currentAtMs());
      else await exclusive(() => take(revision));
    } catch (thrown) {
      fail(asCountersignError(thrown, 'fetch_failed'));
    } finally {
      schedule();
    }
  }

  /** The source still has what was looked at last. */
  function settled(currentAtMs: number): void {
    if (document.refusal() !== null) {
      fail(document.refusal() ?? new CountersignError('list_invalid'));
      return;
    }
    failures = 0;
    failure = heldBack === null ? null : new CountersignError('list_shrunk');
    if (heldBack !== null) heldBack.currentAtMs = currentAtMs;
    else if (active !== null) active.currentAtMs = currentAtMs;
  }

  async function take(revision: ListRevision): Promise<void> {
    const slices = createSlices(() => clock.monotonic());
    const sha256 = await hashList(revision.bytes, slices);
    const { currentAtMs } = revision;
    if (sha256 === active?.sha256) heldBack = null;
    if (sha256 === active?.sha256 || sha256 === heldBack?.sha256) {
      document.seen(revision, null);
      settled(currentAtMs);
      return;
    }
    try {
      const next = { content: await parseList(revision.bytes, options, slices), sha256, currentAtMs };
      if (isShrunk(next.content) && !accepts(sha256)) holdBack(next);
      else await use(next);
      document.seen(revision, null);
      settled(currentAtMs);
    } catch (thrown) {
      const refusal = asCountersignError(thrown, 'list_invalid');
      document.seen(revision, refusal);
      throw refusal;
    }
  }

  async function release(): Promise<void> {
    const waiting = heldBack;
    if (waiting === null || !accepts(waiting.sha256)) return;
    try {
      await exclusive(() => use(waiting));
      failure = null;
    } catch (thrown) {
      fail(asCountersignError(thrown, 'list_invalid'));
    }
  }

  /** By what is said, not by how often: a feed that says one thing a thousand times has shrunk. */
  function isShrunk({ distinct }: ListContent): boolean {
    return active !== null && distinct < active.content.distinct * (1 - shrinkMax);
  }

  function holdBack(next: Held): void {
    heldBack = next;
    logger.warn('list_held_back', {
      list: name,
      entries: next.content.distinct,
      in_use: active?.content.distinct ?? 0,
      sha256: next.sha256,
    });
  }

  async function use(next: Held): Promise<void> {
    await publish(next.content, () => {
      active = next;
      heldBack = null;
    });
    const { entries, badLines } = next.content;
    logger.info('list_loaded', { list: name, entries, bad_lines: badLines, sha256: next.sha256 });
  }

  function fail(error: CountersignError): void {
    if (stopping.signal.aborted) return;
    // an outage of hours is one warning, not one in two seconds
    const level = error.code === failure?.code ? 'debug' : 'warn';
    logger[level]('list_failed', { list: name, code: error.code, error: error.message, kept: active?.content.entries ?? 0 });
    failure = error;
    failures += 1;
  }

  function schedule(): void {
    if (stopping.signal.aborted) return;
    timer = setTimeout(attempt, pauseMs());
    timer.unref();
  }

  function pauseMs(): number {
    if (options.file !== null) return FILE_EVERY_MS;
    const refreshMs = options.refreshSeconds * 1000;
    const retryMs = RETRY_FIRST_MS * 2 ** Math.min(failures - 1, RETRY_DOUBLINGS_MAX);
    return (failures === 0 ? refreshMs : Math.min(refreshMs, retryMs)) * (0.9 + 0.2 * parts.random());
  }

  const ageSeconds = (): number | null =>
    active === null ? null : Math.max(0, Math.floor((clock.monotonic() - active.currentAtMs) / 1000));

  const tooOld = (): boolean => ageMaxSeconds !== null && (ageSeconds() ?? 0) > ageMaxSeconds;

  function stateOf(): ListStatus['state'] {
    if (active === null) return 'never_loaded';
    if (heldBack !== null) return 'held_back';
    return failure !== null || tooOld() ? 'stale' : 'ready';
  }

  return {
    ...{ name, kind, tags, kinds },
    loaded: () => active !== null,
    ageSeconds,
    tooOld,
    start: attempt,
    stop() {
      stopping.abort();
      clearTimeout(timer);
    },
    reconsider: () => inTurn(release),
    status: () => ({
      name,
      kind,
      state: stateOf(),
      entries: active?.content.entries ?? 0,
      ranges: active === null ? 0 : active.content.ipv4.size + active.content.ipv6.size + active.content.asns.size,
      badLines: active?.content.badLines ?? 0,
      sha256: active?.sha256 ?? null,
      ageSeconds: ageSeconds(),
      tooOld: tooOld(),
      heldBack: heldBack === null ? null : { sha256: heldBack.sha256, entries: heldBack.content.entries },
      lastError: failure?.code ?? null,
    }),
  };
}
