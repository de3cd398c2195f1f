import { beforeAll, describe, expect, it, vi } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { createPolicies } from '../../src/decide/policies.ts';
import { createPrepareHere, type Prepare } from '../../src/decide/prepare/prepare-revision.ts';
import { baseBundle, CLOCK, decideOptions, policyOptions, SILENT } from './fixtures.ts';
import { withManifest } from './signed-bundles.ts';

/* Looking at a revision that is not active: beside the service, and not in the way of it. */

let bundles: readonly Uint8Array[];
beforeAll(async () => {
  const base = await baseBundle();
  bundles = await Promise.all(['r1', 'r2', 'r3'].map((revision) => withManifest(base, { revision })));
});

async function start(requiredData: readonly string[] = []) {
  const here = createPrepareHere(CLOCK, null);
  let gate: Promise<void> = Promise.resolve();
  let slow = false;
  const prepare = vi.fn<Prepare>(async (task) => {
    // a busy machine is no reason not to look at what had its time judged before
    if (slow && task.policy.worstCaseMs < 60_000) return { ok: false, error: new CountersignError('bundle_too_slow'), revision: 'x' };
    const outcome = await here(task);
    if (task.policy.worstCaseMs >= 60_000) await gate;
    return outcome;
  });
  const set = createPolicies(decideOptions({ policies: { default: policyOptions({ requiredData }) } }), {
    clock: CLOCK,
    logger: SILENT,
    prepare,
  });
  for (const bundle of bundles) await set.activate('default', bundle);
  prepare.mockClear();
  const hold = (): (() => void) => {
    const held = Promise.withResolvers<void>();
    gate = held.promise;
    return held.resolve;
  };
  const busy = (): void => {
    slow = true;
  };
  const policyOf = async (revision: string | null) => set.inspect('default')?.policyOf(revision) ?? null;
  return { set, prepare, hold, busy, policyOf };
}

describe('a revision that is not active', () => {
  it('is put together once for all who ask for it', async () => {
    const { prepare, policyOf } = await start();
    const [one, two] = await Promise.all([policyOf('r1'), policyOf('r1')]);
    expect(one).toMatchObject({ revision: 'r1' });
    expect([two, await policyOf('r1')]).toEqual([one, one]);
    expect(prepare).toHaveBeenCalledTimes(1);
    expect(await policyOf('r3')).toMatchObject({ revision: 'r3' });
    await expect(policyOf('r0')).rejects.toMatchObject({ code: 'revision_unknown' });
    expect(prepare).toHaveBeenCalledTimes(1);
  });

  it('is one at a time, and no activation waits for it', async () => {
    const { set, hold, policyOf } = await start();
    const go = hold();
    const held = policyOf('r1');
    await expect(policyOf('r2')).rejects.toMatchObject({ code: 'overloaded' });
    await expect(set.activate('default', bundles[0] ?? new Uint8Array())).resolves.toMatchObject({ revision: 'r1' });
    expect(set.status()).toMatchObject([{ revision: 'r1', lastError: null }]);
    go();
    expect(await held).toMatchObject({ revision: 'r1' });
    expect(await policyOf('r2')).toMatchObject({ revision: 'r2' });
  });

  it('had its time judged before', async () => {
    const { busy, policyOf } = await start();
    busy();
    expect(await policyOf('r1')).toMatchObject({ revision: 'r1' });
  });

  it('refuses where data that it needs is not there, as it would if it were active', async () => {
    const { policyOf } = await start(['tenants.default.acme']);
    for (const revision of ['r1', 'r3', null])
      expect(await policyOf(revision)).toMatchObject({ refused: 'data_not_loaded', policy: {}, routesMissing: false });
  });
});
