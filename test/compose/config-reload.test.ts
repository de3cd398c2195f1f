import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PrepareChange } from '../../src/compose/changing-parts.ts';
import { openConfigReload } from '../../src/compose/config-reload.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { CountersignError } from '../../src/contract/errors.ts';
import type { PreparedChange } from '../../src/contract/lifecycle.ts';
import { silentLogger } from '../identify/fixtures.ts';

/* What becomes of the parts that change when one of them cannot. */

const HASH = 'a'.repeat(64);
const started = configSchema.parse({ peps: [{ name: 'edge', tokenSha256: HASH }] });
const changed = configSchema.parse({
  peps: [{ name: 'edge', tokenSha256: 'b'.repeat(64) }],
  identity: { issuers: [{ issuer: 'https://as.example', audiences: ['a'], jwksUrl: 'https://as.example/jwks' }] },
  network: { lists: [{ name: 'feed', file: '/feed' }] },
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Follows a file that is `changed` from its second state on. */
function follow(more: Partial<PrepareChange>) {
  const calls: string[] = [];
  const prepared = (part: string) => (): PreparedChange => ({
    commit: () => void calls.push(`commit ${part}`),
    discard: () => void calls.push(`discard ${part}`),
  });
  let version = 0;
  const reload = openConfigReload(
    started,
    { path: '/config.yaml', load: (): Config => changed },
    {
      prepare: { peps: prepared('peps'), issuers: prepared('issuers'), lists: prepared('lists'), ...more },
      readFile: async (_path, _max, known) => {
        const now = String(version);
        return known === now ? null : { bytes: Buffer.alloc(0), version: now, modifiedAtMs: 0 };
      },
      clock: { now: () => 0, monotonic: () => 0 },
      logger: silentLogger,
    },
  );
  reload.start();
  const change = async (): Promise<void> => {
    version += 1;
    await vi.advanceTimersByTimeAsync(2000);
  };
  return { reload, calls, change };
}

test('all are taken, once all are made', async () => {
  const { reload, calls, change } = follow({});
  const { revision } = reload.status().config ?? expect.fail();
  await change();
  expect(calls.toSorted()).toEqual(['commit issuers', 'commit lists', 'commit peps']);
  expect(reload.status().config).toMatchObject({ state: 'in_force', taken: 1, revision: expect.not.stringMatching(revision) });
  reload.stop();
});

test('where one cannot be made the others are put away again, and what is wrong is told', async () => {
  const lists = (): Promise<never> => Promise.reject(new CountersignError('list_invalid', { field: 'network.lists' }));
  const { reload, calls, change } = follow({ lists });
  const { revision } = reload.status().config ?? expect.fail();
  await change();
  expect(calls.toSorted()).toEqual(['discard issuers', 'discard peps']);
  const status = { state: 'refused', taken: 0, refused: 1, revision, problems: [expect.stringMatching(/^network\.lists: /)] };
  expect(reload.status().config).toMatchObject(status);
  reload.stop();
});

test('what is made when the service ends is put away, and not taken', async () => {
  const made = Promise.withResolvers<PreparedChange>();
  const { reload, calls, change } = follow({ issuers: () => made.promise });
  await change();
  reload.stop();
  made.resolve({ commit: () => void calls.push('commit issuers'), discard: () => void calls.push('discard issuers') });
  await vi.advanceTimersByTimeAsync(0);
  expect(calls.toSorted()).toEqual(['discard issuers', 'discard lists', 'discard peps']);
  expect(reload.status().config?.taken).toBe(0);
});
