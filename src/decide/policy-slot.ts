import { asCountersignError, CountersignError } from '../contract/errors.ts';
import type { ActivePolicy } from '../contract/stages.ts';
import type { PolicyStatus } from '../contract/status.ts';
import type { KeptState, PolicyOrigin } from './kept-policy.ts';
import { type LoadedRevision, loadRevision } from './load-revision.ts';
import { LOST } from './missing-routes.ts';
import type { DecideOptions, PolicyOptions } from './options.ts';
import type { KeptData } from './pushed/data-job.ts';
import { createDataSlot, type DataHost } from './pushed/data-slot.ts';
import { mayPass, prepareOver } from './pushed/prepare-over.ts';
import { type Base, differsInExceptions, documentsOver } from './pushed/pushed-data.ts';
import { EXCEPTIONS, startsWith } from './pushed/roots.ts';
import { createSlotRetries } from './retry.ts';
import { createRevisionHistory } from './revision-history.ts';
import { readSigningKeys } from './signing/read-keys.ts';
import type { PolicySlot, SlotParts } from './slot.ts';
import { createSlotInspection } from './slot-inspection.ts';
import { createSourceView, digestOf } from './slot-source.ts';
import { slotStatus } from './slot-status.ts';

/** `policy.ageMax` is over minutes at least: its time need not be written down more often. */
const CONFIRM_SECONDS = 60;

/** What was active before had its time judged before: it is taken back where the machine starts, or is busy with a worse policy. */
const KNOWN_WORST_CASE_MS = 60_000;

/** Nothing is active at first. */
export function createPolicySlot(name: string, options: PolicyOptions, shared: DecideOptions, parts: SlotParts): PolicySlot {
  const { clock, logger, kept, pushed } = parts;
  const history = createRevisionHistory();
  const plain = { input: shared.input, upstream: shared.upstream, challenge: shared.challenge };
  const seconds = (): number => Math.floor(clock.now() / 1000);
  const source = createSourceView();
  let loaded: LoadedRevision | null = null;
  let origin: PolicyOrigin = 'source';
  /** Of the active revision, or of the one that was kept and could not be used. */
  let floor: number | null = null;
  let savedAt = 0;
  /** The source's bundle, which only what was pushed keeps out. */
  let waiting: Base | null = null;
  /** Tries the source's bundle again, where what was pushed kept it out. */
  let again: (() => void) | null = null;
  /** Of the bundle that was last judged; of the source, where it could not be read. */
  let refused: PolicyStatus['lastError'] = null;
  let unread: PolicyStatus['lastError'] = null;
  /** Revision of the bundle that is being judged, as soon as it is known. */
  let judged: string | null = null;
  let last: Promise<unknown> = Promise.resolve();
  /** What the last other data was refused for. */
  let unfresh: PolicyStatus['lastError'] = null;
  const retries = createSlotRetries(clock, parts.retryMs);

  const errorOf = (error: CountersignError, from: string | null, revision: string | null): PolicyStatus['lastError'] => {
    const text = from === null ? error.message : `${from}: ${error.message}`;
    const state = loaded === null ? 'not_loaded' : 'active';
    logger.error('policy_load_failed', { policy: name, code: error.code, text, revision, state });
    return { code: error.code, text, at: seconds(), revision };
  };

  /** One after the other, so that the last one that was asked for is the one that stays. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  /** For what had its time judged before. */
  const inspected: PolicyOptions = { ...options, worstCaseMs: KNOWN_WORST_CASE_MS };

  const save = async (): Promise<void> => {
    if (kept === null || history.all().length === 0) return;
    try {
      const state: KeptState = {
        origin,
        sourceDigest: source.digest,
        confirmedAt: source.confirmedAt ?? seconds(),
        revisions: history.all(),
      };
      await kept.save(state);
      savedAt = seconds();
    } catch (thrown) {
      // the policy is active all the same: only a restart will not know it
      logger.error('policy_not_kept', { policy: name, code: asCountersignError(thrown, 'state_invalid').code, cause: thrown });
    }
  };

  const prepare = async (packed: Uint8Array, data: KeptData | null, module: WebAssembly.Module | null, policy = options) => {
    const signing = await readSigningKeys(options.signing, parts.readFile);
    const documents = data === null ? [] : documentsOver(data);
    const operatorPaths = data?.operatorPaths ?? [];
    const outcome = await parts.prepare({ name, packed, pushed: documents, operatorPaths, module, policy, signing, shared: plain });
    // one that is only looked at is prepared beside what is judged
    if (policy !== inspected) judged = outcome.ok ? outcome.prepared.revision : outcome.revision;
    if (!outcome.ok) throw outcome.error;
    return outcome.prepared;
  };

  const warnOf = ({ policy: { revision }, monitored }: LoadedRevision): void => {
    if (monitored.length > 0) logger.warn('monitor_mode', { policy: name, revision, routes: monitored.length });
  };

  // pushed data that was lost may have closed what the bundle alone leaves open
  const missingData = (of = loaded): readonly string[] => (pushed?.isDamaged() === true ? [LOST] : (of?.missingData ?? []));

  const inspection = createSlotInspection({
    active: () => loaded?.policy ?? null,
    missing: (of) => missingData(of ?? loaded),
    kept: (revision) => ({ ...history.find(revision), data: pushed?.kept() ?? null }),
    open: async (packed, data) =>
      loadRevision(name, await prepareOver((over) => prepare(packed, over, null, inspected), data), options, shared, clock, data),
  });
  /** The one place where a revision becomes active: a request that has one keeps it. */
  const install = async (packed: Uint8Array, from: PolicyOrigin, activatedAt: number, bounded: boolean): Promise<ActivePolicy> => {
    const data = pushed?.kept() ?? null;
    const judgedBy = bounded ? options : { ...options, worstCaseMs: KNOWN_WORST_CASE_MS };
    const prepared = await prepareOver((over) => prepare(packed, over, null, judgedBy), data);
    const { revision, digest, sequence, signed } = prepared;
    // a rollback is the operator's: a source that may not go back does not get to, and an old bundle of it stays old
    const least = Math.max(floor ?? -1, from === 'source' ? history.sequenceMax() : -1);
    if (bounded && signed && (sequence ?? -1) < least)
      throw new CountersignError('bundle_sequence_behind', { detail: `${sequence ?? 'none'} after ${least}` });
    const next = await loadRevision(name, prepared, options, shared, clock, data);
    loaded = inspection.loaded(next);
    waiting = null;
    origin = from;
    floor = signed ? sequence : null;
    refused = null;
    history.add({ revision, digest, activatedAt, sequence: floor, packed });
    logger.info('policy_activated', { policy: name, revision: next.policy.revision, origin, rules: next.rules, routes: next.routes });
    warnOf(next);
    return next.policy;
  };

  /** Data over the bundle that is active, or that waits for it. */
  const host: DataHost = {
    policy: name,
    base: () => (loaded === null ? waiting : (history.all()[0] ?? null)),
    revision: () => loaded?.policy.revision ?? null,
    nowSeconds: seconds,
    inTurn,
    async load({ packed }, data, path) {
      if (loaded !== null && startsWith(path, EXCEPTIONS)) return loaded.withExceptions(data);
      const prepared = await prepare(packed, data, loaded?.bundle.module ?? null);
      return loadRevision(name, prepared, options, shared, clock, data);
    },
    use({ packed, digest }, next) {
      if (loaded === null) {
        const { revision, sequence, signed } = next.bundle;
        floor = signed ? sequence : null;
        history.add({ revision, digest, activatedAt: seconds(), sequence: floor, packed });
        refused = null;
      }
      loaded = inspection.loaded(next);
      again?.();
      logger.info('policy_data_changed', { policy: name, revision: next.policy.revision, routes: next.routes });
      warnOf(next);
      parts.onData?.();
    },
  };

  /** A revision with other data over it. */
  const under = async (data: KeptData, before: LoadedRevision, packed: Uint8Array): Promise<LoadedRevision> => {
    if (differsInExceptions(before.data, data)) return before.withExceptions(data);
    const prepared = await prepareOver((over) => prepare(packed, over, before.bundle.module), data);
    return loadRevision(name, prepared, options, shared, clock, data);
  };

  /** Does what may be refused, and notes it. */
  const attempt = async <T>(from: string | null, work: () => Promise<T>): Promise<T> => {
    judged = null;
    try {
      return await work();
    } catch (thrown) {
      const error = asCountersignError(thrown, 'bundle_unreadable');
      refused = errorOf(error, from, judged);
      throw error;
    }
  };

  const slot: PolicySlot = {
    name,
    options,
    active: () => loaded?.policy ?? null,
    missingData: () => missingData(),
    inspection,
    data: pushed === null || parts.shares ? null : createDataSlot(host, pushed),
    monitored: () => loaded?.monitored ?? [],
    current: () => (loaded === null ? null : (history.all()[0] ?? null)),
    sequence: () => floor,
    knows: (digest) => loaded !== null && history.all().some((one) => one.digest === digest),
    activate: (packed) =>
      inTurn(() =>
        attempt(null, async () => {
          const policy = await install(packed, 'activated', seconds(), true);
          source.renew(seconds());
          await save();
          return policy;
        }),
      ),
    rollback: (revision) =>
      inTurn(async () => {
        const { packed } = history.find(revision);
        return attempt(null, async () => {
          const policy = await install(packed, 'rolled_back', seconds(), false);
          await save();
          return policy;
        });
      }),
    revisions: () =>
      history.all().map(({ revision, activatedAt }, index) => ({ revision, activatedAt, active: index === 0 && loaded !== null })),
    isBehindData: () => loaded !== null && loaded.data !== (pushed?.kept() ?? null),
    refresh: () =>
      inTurn(async () => {
        const data = pushed?.kept() ?? null;
        const before = loaded;
        const base = history.all()[0];
        if (data !== null && before !== null && base !== undefined && before.data !== data)
          await attempt(null, async () => {
            loaded = inspection.loaded(await under(data, before, base.packed));
            if (refused?.code === 'data_unfit' || refused === unfresh) refused = null;
            logger.info('policy_data_changed', { policy: name, revision: loaded.policy.revision, routes: loaded.routes });
            warnOf(loaded);
          }).then(retries.refreshing.done, (thrown: unknown) => {
            unfresh = refused;
            if (mayPass(thrown)) retries.refreshing.later(() => void slot.refresh());
          });
        again?.();
      }),
    restore: () =>
      inTurn(async () => {
        if (loaded === null && !parts.shares) await pushed?.open();
        if (kept === null || loaded !== null) return;
        await attempt('kept', async () => {
          const state = await kept.load();
          const [first, ...older] = state?.revisions ?? [];
          if (state === null || first === undefined) return;
          for (const one of older.reverse()) history.add(one);
          floor = first.sequence;
          await install(first.packed, state.origin, first.activatedAt, false);
          source.restore(state);
        }).catch(() => undefined);
      }),
    offer: (packed, from) =>
      inTurn(async () => {
        again = null;
        retries.offering.stop();
        const digest = digestOf(packed);
        const active = history.all()[0];
        const known = loaded !== null && digest === active?.digest;
        const taken = loaded !== null && origin !== 'source' && digest === source.digest;
        unread = null;
        try {
          if (known || taken) {
            // what was rolled back, or replaced by hand, is not taken again until the source has something else
            if (known) {
              origin = 'source';
              refused = null;
            }
            source.has(history.all().find((one) => one.digest === digest)?.revision ?? null, true);
          } else {
            await attempt(from, () => install(packed, 'source', seconds(), true));
            source.has(judged, true);
          }
          waiting = null;
          source.accept(digest, seconds());
          await save();
          return true;
        } catch (thrown) {
          source.has(judged, false);
          if (thrown instanceof CountersignError && thrown.code === 'data_unfit') {
            // after whatever else is asked for by then: it may have taken its place
            again = () => retries.offering.until(() => last.then(() => waiting?.digest !== digest || slot.offer(packed, from)));
            waiting = { packed, digest };
          }
          return !mayPass(thrown);
        }
      }),
    confirm() {
      unread = null;
      if (!source.confirm(seconds())) return;
      if (options.ageMax !== null && seconds() - savedAt >= CONFIRM_SECONDS) void inTurn(save);
    },
    fail(thrown, from) {
      source.lose();
      unread = errorOf(asCountersignError(thrown, 'bundle_unreadable'), from, null);
    },
    retrying: retries.retrying,
    stop: retries.stop,
    status: () =>
      slotStatus({
        ...{ name, options, loaded, origin, sequence: floor, lastError: unread ?? refused, missingData: missingData() },
        active: history.all()[0],
        source: source.at(seconds()),
        data: pushed?.status(),
        retriesMs: retries.atMs(),
      }),
  };
  return slot;
}
