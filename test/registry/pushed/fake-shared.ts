import type { Followed, Put, SharedEntries, SharedEntry } from '../../../src/stores/shared-entries.ts';

/** A store of replicas that says what a test wants, next to the real one of `test/stores/redis`. */
export type FakeShared = SharedEntries & {
  /** What the next look finds, in this order; afterwards nothing new. */
  readonly answers: Followed[];
  readonly purged: string[];
  readonly put_: SharedEntry[];
  lost: boolean;
  changed(): void;
};

const DONE: Put = { kind: 'put', position: { epoch: 'e', version: 1, head: 'h1' } };

export function createFakeShared(): FakeShared {
  const answers: Followed[] = [];
  const purged: string[] = [];
  const put: SharedEntry[] = [];
  let listener: () => void = () => undefined;
  const shared: FakeShared = {
    answers,
    purged,
    put_: put,
    lost: false,
    changed: () => listener(),
    async follow() {
      shared.lost = false;
      return answers.shift() ?? { kind: 'same', total: 0 };
    },
    async put(entries) {
      if (shared.lost) return { kind: 'lost' };
      put.push(...entries);
      return DONE;
    },
    remove: async () => (shared.lost ? { kind: 'lost' } : DONE),
    async purge(ids, nowSeconds) {
      purged.push(...ids);
      return { kind: 'purged', nowSeconds, total: 0, refused: [] };
    },
    onChange(called) {
      listener = called;
    },
  };
  return shared;
}
