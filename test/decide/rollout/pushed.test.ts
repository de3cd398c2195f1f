import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { CountersignError } from '../../../src/contract/errors.ts';
import type { JsonValue } from '../../../src/contract/json.ts';
import { createPrepareHere, type Prepare } from '../../../src/decide/prepare/prepare-revision.ts';
import { runDataJob } from '../../../src/decide/pushed/data-job.ts';
import { createPushedData } from '../../../src/decide/pushed/pushed-data.ts';
import { CLOCK, SILENT } from '../fixtures.ts';
import { bundleOf, createRollout, type RolloutWorld, sourceOf } from './world.ts';

const BOUNDS = { dataMaxBytes: 100_000, exceptionsMax: 5, exceptionMaxSeconds: 60 };
/** Other work on the machine may take its time. */
const WAIT = { timeout: 20_000 };
/** Says what it saw of the data; by `nonsense` it has two values, and fails its trial. */
const READING = `default effect := "allow"

effect := data.tenants.default.effect

effect := "deny" if data.tenants.default.effect == "nonsense"

decision := {"effect": effect, "reasons": [concat("", ["a.candidate_", effect])]}`;

let active: Uint8Array;
let candidate: Uint8Array;
let world: RolloutWorld | null = null;
beforeAll(async () => {
  active = await bundleOf('a1', 'decision := {"effect": "allow", "reasons": ["a.active"]}');
  candidate = await bundleOf('c1', READING);
});
afterEach(() => world?.stop());

/** A canary of everybody, over data that lies in memory. */
async function start(kept: { bytes: Uint8Array | null } = { bytes: null }, source = sourceOf(candidate).source, prepare?: Prepare) {
  const read = vi.fn(async () => kept.bytes);
  const write = async (bytes: Uint8Array) => {
    kept.bytes = bytes;
  };
  const file = { read, write, setAside: async () => undefined };
  world = await createRollout({
    active,
    candidate: source,
    canary: { percent: 100 },
    ...(prepare === undefined ? {} : { prepare }),
    openPushed: (policy) => createPushedData({ policy, run: runDataJob, file, bounds: BOUNDS, clock: CLOCK, logger: SILENT }),
  });
  return { ...world, read, kept };
}

/** `created`: nothing is there yet. */
async function push({ set }: RolloutWorld, path: string, value: JsonValue, created = false): Promise<void> {
  const edit = { kind: 'put', bytes: Buffer.from(JSON.stringify(value)) } as const;
  const operator = { name: 'ann', role: 'admin' } as const;
  const condition = { match: created ? null : ('*' as const) };
  expect(await set.data.change({ policy: 'default', path: path.split('/'), edit, condition, operator })).toHaveProperty('dataRevision');
}

const EFFECT = 'tenants/default/effect';
const asked = async ({ ask }: RolloutWorld) => {
  const { policy, reasons, effect } = await ask('/1', { client: 'c' });
  return [policy.revision, effect, reasons[0]?.code];
};
const candidateIn = ({ set }: RolloutWorld) => set.status()[0]?.candidate;

test('a canary decides with the data that is pushed, and names its revision', async () => {
  const here = await start();
  expect(await asked(here)).toEqual(['c1', 'allow', 'a.candidate_allow']);
  await push(here, EFFECT, 'deny', true);
  await vi.waitFor(async () => expect(await asked(here)).toEqual(['c1+d1', 'deny', 'a.candidate_deny']), WAIT);
  await push(here, 'countersign/routes/one', { methods: ['GET'], path: '/1', tier: 'low', enforce: false }, true);
  await vi.waitFor(async () => expect(await asked(here)).toEqual(['c1+d2', 'deny', 'a.candidate_deny']), WAIT);
  expect(here.records.at(-1)?.route).toMatchObject({ id: 'one', tier: 'low' });
  expect(here.set.monitored().map(({ revision, names }) => [revision, names])).toEqual([
    ['a1+d2', ['one']],
    ['c1+d2', ['one']],
  ]);
});

test('until it has the data that is pushed, nobody gets it', async () => {
  const here = await start();
  await push(here, EFFECT, 'deny', true);
  // the change is in use, and the candidate is still being put together
  expect(candidateIn(here)?.state).toBe('resting');
  expect(await asked(here)).toEqual(['a1+d1', 'allow', 'a.active']);
  await vi.waitFor(() => expect(candidateIn(here)?.state).toBe('ready'), WAIT);
});

test('it rests where the data does not fit it, says why, and comes back when it does', async () => {
  const here = await start();
  await push(here, EFFECT, 'nonsense', true);
  await vi.waitFor(() => expect(candidateIn(here)).toMatchObject({ state: 'resting', lastError: { code: 'data_unfit' } }), WAIT);
  expect(await asked(here)).toEqual(['a1+d1', 'allow', 'a.active']);
  await expect(here.set.promote('default', null)).rejects.toMatchObject({ code: 'data_unfit' });
  await push(here, EFFECT, 'deny');
  await vi.waitFor(() => expect(candidateIn(here)).toMatchObject({ state: 'ready', lastError: null }), WAIT);
  expect(await asked(here)).toEqual(['c1+d2', 'deny', 'a.candidate_deny']);
  expect((await here.set.promote('default', 'c1')).revision).toBe('c1+d2');
});

test('one that comes when the data does not fit it is taken once it does', async () => {
  const { source, publish } = sourceOf(null);
  const here = await start({ bytes: null }, source);
  await push(here, EFFECT, 'nonsense', true);
  publish(candidate);
  await vi.waitFor(() => expect(candidateIn(here)).toMatchObject({ state: 'not_loaded', lastError: { code: 'data_unfit' } }), WAIT);
  await push(here, EFFECT, 'deny');
  await vi.waitFor(async () => expect(await asked(here)).toEqual(['c1+d2', 'deny', 'a.candidate_deny']), WAIT);
});

test('exceptions reach it at once; the data that was kept is opened once for both', async () => {
  const here = await start();
  await push(here, EFFECT, 'deny', true);
  await vi.waitFor(() => expect(candidateIn(here)?.state).toBe('ready'), WAIT);
  await push(here, 'countersign/limits/exceptions', {}, true);
  expect(await asked(here)).toEqual(['c1+d2', 'deny', 'a.candidate_deny']);
  here.stop();
  const next = await start(here.kept);
  expect(next.read).toHaveBeenCalledOnce();
  expect(await asked(next)).toEqual(['c1+d2', 'deny', 'a.candidate_deny']);
});

/** Refuses the candidate as too slow while the machine is busy. */
function busyMachine() {
  const here = createPrepareHere(CLOCK, null);
  const machine = { busy: false, refused: 0 };
  const prepare: Prepare = async (task) => {
    const outcome = await here(task);
    if (!machine.busy || !outcome.ok || outcome.prepared.revision !== 'c1') return outcome;
    machine.refused += 1;
    return { ok: false, error: new CountersignError('bundle_too_slow'), revision: 'c1' };
  };
  return { machine, prepare };
}

test('one that a busy machine finds too slow with other data is tried again, and the status says when', async () => {
  const { machine, prepare } = busyMachine();
  const here = await start(undefined, undefined, prepare);
  machine.busy = true;
  await push(here, EFFECT, 'deny', true);
  await vi.waitFor(() => expect(machine.refused).toBeGreaterThan(2), WAIT);
  expect(candidateIn(here)).toMatchObject({ state: 'resting', lastError: { code: 'bundle_too_slow' } });
  await vi.waitFor(() => expect(candidateIn(here)?.retryAt).toBeGreaterThanOrEqual(Math.floor(CLOCK.now() / 1000)), WAIT);
  machine.busy = false;
  await vi.waitFor(async () => expect(await asked(here)).toEqual(['c1+d1', 'deny', 'a.candidate_deny']), WAIT);
  expect(candidateIn(here)).toMatchObject({ state: 'ready', lastError: null });
  expect(candidateIn(here)).not.toHaveProperty('retryAt');
});

test('so is one that waited for data that fits it', async () => {
  const { machine, prepare } = busyMachine();
  const { source, publish } = sourceOf(null);
  const here = await start(undefined, source, prepare);
  await push(here, EFFECT, 'nonsense', true);
  publish(candidate);
  await vi.waitFor(() => expect(candidateIn(here)).toMatchObject({ state: 'not_loaded', lastError: { code: 'data_unfit' } }), WAIT);
  machine.busy = true;
  await push(here, EFFECT, 'deny');
  await vi.waitFor(() => expect(machine.refused).toBeGreaterThan(1), WAIT);
  machine.busy = false;
  await vi.waitFor(async () => expect(await asked(here)).toEqual(['c1+d2', 'deny', 'a.candidate_deny']), WAIT);
});
