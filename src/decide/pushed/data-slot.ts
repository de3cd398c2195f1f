import type { AdminRefused, DataAdmin, DataChanged, DataRead, DataRequest, PushedList } from '../../contract/admin.ts';
import { asCountersignError } from '../../contract/errors.ts';
import type { LoadedRevision } from '../load-revision.ts';
import type { KeptData } from './data-job.ts';
import { checkExceptions } from './exceptions.ts';
import type { Base, PushedData } from './pushed-data.ts';

/** What changing the data of a policy needs of the policy. */
export type DataHost = {
  readonly policy: string;
  /** The bundle that is active, or waits for data that fits it; null where there is none. */
  base(): Base | null;
  /** Of the decisions now; null where nothing is active. */
  revision(): string | null;
  /**
   * Puts the bundle together with other data over it; `path` is what is changed.
   * @throws CountersignError `bundle_*`
   */
  load(base: Base, kept: KeptData, path: readonly string[]): Promise<LoadedRevision>;
  /** Takes a revision into use at once. */
  use(base: Base, loaded: LoadedRevision): void;
  /** After everything else that was asked of the policy before. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  nowSeconds(): number;
};

/** The data that is pushed over one policy, as operators see and change it. */
export interface DataSlot {
  list(): PushedList;
  read(path: readonly string[]): Promise<DataRead | AdminRefused>;
  change(request: DataRequest): Promise<DataChanged | AdminRefused>;
}

/** Changes go one after the other: each is worked out, put together, kept and then taken into use whole, or nothing of it is. */
export function createDataSlot(host: DataHost, pushed: PushedData): DataSlot {
  async function change(request: DataRequest): Promise<DataChanged | AdminRefused> {
    const base = host.base();
    if (base === null) return { refused: 'policy_not_loaded' };
    const planned = await pushed.plan(base, request);
    if ('refused' in planned) return planned;
    const { kept, before, after } = planned;
    try {
      const loaded = await host.load(base, kept, request.path);
      const facts = { ...loaded.facts, nowSeconds: host.nowSeconds() };
      checkExceptions(planned.exceptions, pushed.exceptions(), facts, pushed.bounds);
      await pushed.commit(planned);
      host.use(base, loaded);
    } catch (thrown) {
      const { code, field, message } = asCountersignError(thrown, 'data_preparation_failed');
      return { refused: code, detail: message, ...(field === null ? {} : { field }) };
    }
    return {
      policy: host.policy,
      revision: host.revision() ?? '',
      dataRevision: kept.revision,
      etag: pushed.etagOf(base, request.path),
      created: before === null && after !== null,
      persisted: pushed.persisted,
      before,
      after,
    };
  }

  return {
    list: () => ({
      policy: host.policy,
      revision: host.revision(),
      dataRevision: pushed.kept()?.revision ?? 0,
      documents: pushed.list(),
    }),
    async read(path) {
      const base = host.base();
      return base === null ? { refused: 'policy_not_loaded' } : pushed.read(base, path, host.revision() ?? '');
    },
    change: (request) => host.inTurn(() => change(request)),
  };
}

const UNKNOWN: AdminRefused = { refused: 'policy_not_configured' };

/** The data of all policies; `slotOf` gives null where there is no such policy. */
export function createDataAdmin(slotOf: (policy: string) => DataSlot | null): DataAdmin {
  return {
    list: (policy) => slotOf(policy)?.list() ?? UNKNOWN,
    read: async (policy, path) => slotOf(policy)?.read(path) ?? UNKNOWN,
    change: async (request) => slotOf(request.policy)?.change(request) ?? UNKNOWN,
  };
}
