import { expect, test } from 'vitest';
import type { DataRequest } from '../../../src/contract/admin.ts';
import { createPolicies, type PolicySet } from '../../../src/decide/policies.ts';
import { runDataJob } from '../../../src/decide/pushed/data-job.ts';
import { createPushedData, type StateFile } from '../../../src/decide/pushed/pushed-data.ts';
import { editData } from '../bundles.ts';
import { baseBundle, CLOCK, decideOptions, SILENT } from '../fixtures.ts';

const BOUNDS = { dataMaxBytes: 100_000, exceptionsMax: 5, exceptionMaxSeconds: 60 };

/** A file in memory; a null content is none. */
function fileOf(content: { bytes: Uint8Array | null; broken?: boolean }): StateFile {
  return {
    read: async () => content.bytes,
    async write(bytes) {
      if (content.broken) throw new Error('no space left');
      content.bytes = bytes;
    },
    setAside: async () => undefined,
  };
}

async function policiesOver(file: StateFile | null, { clock = CLOCK, bounds = BOUNDS } = {}): Promise<PolicySet> {
  const openPushed = (policy: string) => createPushedData({ policy, run: runDataJob, file, bounds, clock, logger: SILENT });
  const set = createPolicies(decideOptions(), { clock, logger: SILENT, openPushed });
  await set.load();
  return set;
}

const put = (path: string, value: unknown, more: Partial<DataRequest> = {}): DataRequest => ({
  policy: 'default',
  path: path.split('/'),
  edit: { kind: 'put', bytes: Buffer.from(JSON.stringify(value)) },
  condition: { match: '*' },
  operator: { name: 'ann', role: 'admin' },
  ...more,
});
const BLOCKED = 'countersign/limits/network/addresses_blocked';

test('nothing can be pushed where nothing is active', async () => {
  const set = await policiesOver(null);
  expect(await set.data.change(put(BLOCKED, []))).toEqual({ refused: 'policy_not_loaded' });
  expect(await set.data.read('default', ['countersign', 'routes'])).toEqual({ refused: 'policy_not_loaded' });
  expect(set.data.list('default')).toMatchObject({ revision: null, dataRevision: 0, documents: [] });
  expect(set.status()[0]).not.toHaveProperty('data');
});

test('what cannot be kept is not taken into use', async () => {
  const content = { bytes: null, broken: true };
  const set = await policiesOver(fileOf(content));
  await set.activate('default', await baseBundle());
  const revision = set.data.list('default');
  expect(await set.data.change(put(BLOCKED, []))).toMatchObject({ refused: 'state_unwritable' });
  expect(set.data.list('default')).toEqual(revision);
  content.broken = false;
  expect(await set.data.change(put(BLOCKED, []))).toMatchObject({ dataRevision: 1, persisted: true });
});

test('without a file it is said that it will not last', async () => {
  const set = await policiesOver(null);
  await set.activate('default', await baseBundle());
  expect(await set.data.change(put(BLOCKED, []))).toMatchObject({ persisted: false });
  expect(set.status()[0]?.data).toMatchObject({ persisted: false, revision: 1, state: 'ready' });
});

test('two processes with the same data have the same digest', async () => {
  const sets = await Promise.all([policiesOver(null), policiesOver(null)]);
  for (const [index, set] of sets.entries()) {
    await set.activate('default', await baseBundle());
    if (index === 0) await set.data.change(put(BLOCKED, ['192.0.2.1']));
    await set.data.change(put(BLOCKED, ['192.0.2.2']));
  }
  const [first, second] = sets.map((set) => set.status()[0]?.data);
  expect(first?.sha256).toBe(second?.sha256);
  expect([first?.revision, second?.revision]).toEqual([2, 1]);
});

test('an exception that was kept is in force again; one that ends later than it may now is not', async () => {
  const content: { bytes: Uint8Array | null } = { bytes: null };
  const now = CLOCK.now() / 1000;
  const exception = (seconds: number) => ({ owner: 'a', reason: 'r', client: 'c', rules: ['rate.exceeded'], ends_at: now + seconds });
  const set = await policiesOver(fileOf(content));
  await set.activate('default', await baseBundle());
  await set.data.change(put('countersign/limits/exceptions', { e1: exception(50), e2: exception(20) }, { condition: { match: null } }));
  expect((await policiesOver(fileOf(content))).status()[0]?.data?.exceptions.map(({ id }) => id)).toEqual(['e1', 'e2']);
  const bounds = { ...BOUNDS, exceptionMaxSeconds: 30 };
  expect((await policiesOver(fileOf(content), { bounds })).status()[0]?.data?.exceptions.map(({ id }) => id)).toEqual(['e2']);
});

test.each<[string, { seconds?: number; bounds?: Partial<typeof BOUNDS> }, string[]]>([
  ['is over', { seconds: 100 }, []],
  ['ends later than it may now', { bounds: { exceptionMaxSeconds: 10 } }, []],
  ['is one of more than there may be now', { bounds: { exceptionsMax: 1 } }, ['e1']],
  ['may not be any more', { bounds: { exceptionsMax: 0 } }, []],
])('an exception that %s after a restart is in nobody’s way', async (_name, { seconds = 0, bounds = {} }, active) => {
  const content: { bytes: Uint8Array | null } = { bytes: null };
  const now = CLOCK.now() / 1000;
  const exception = (end: number) => ({ owner: 'a', reason: 'r', client: 'c', rules: ['rate.exceeded'], ends_at: end });
  const exceptions = 'countersign/limits/exceptions';
  const first = await policiesOver(fileOf(content));
  await first.activate('default', await baseBundle());
  await first.data.change(put(exceptions, { e1: exception(now + 50), e2: exception(now + 50) }, { condition: { match: null } }));

  const clock = { ...CLOCK, now: () => CLOCK.now() + seconds * 1000 };
  const set = await policiesOver(fileOf(content), { clock, bounds: { ...BOUNDS, ...bounds } });
  await set.activate('default', await baseBundle());
  expect(await set.data.change(put(BLOCKED, ['192.0.2.1']))).toMatchObject({ dataRevision: 2 });
  const ids = () => set.status()[0]?.data?.exceptions.map(({ id }) => id);
  expect(ids()).toEqual(active);
  // what is brought anew is judged
  const later = exception(now + seconds + 1000);
  expect(await set.data.change(put(`${exceptions}/e3`, later, { condition: { match: null } }))).toMatchObject({
    refused: 'exception_invalid',
  });
  expect(await set.data.change(put(exceptions, {}, { edit: { kind: 'delete' } }))).toMatchObject({ dataRevision: 3 });
  expect(ids()).toEqual([]);
});

test('a bundle cannot bring exceptions', async () => {
  const set = await policiesOver(null);
  const bundle = await editData(await baseBundle(), (data) => {
    const countersign = Object(data['countersign']);
    return { ...data, countersign: { ...countersign, limits: { ...countersign.limits, exceptions: {} } } };
  });
  await expect(set.activate('default', bundle)).rejects.toMatchObject({
    code: 'bundle_data_invalid',
    field: expect.stringContaining('limits'),
  });
});
