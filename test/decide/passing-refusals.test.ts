import { beforeAll, describe, expect, it } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { createPolicies } from '../../src/decide/policies.ts';
import { createPrepareHere, type Prepare } from '../../src/decide/prepare/prepare-revision.ts';
import type { KeptData } from '../../src/decide/pushed/data-job.ts';
import { prepareOver } from '../../src/decide/pushed/prepare-over.ts';
import { baseBundle, CLOCK, decideOptions, SILENT } from './fixtures.ts';
import { withManifest } from './signed-bundles.ts';

let bundles: readonly Uint8Array[];
beforeAll(async () => {
  const base = await baseBundle();
  bundles = await Promise.all(['r1', 'r2'].map((revision) => withManifest(base, { revision })));
});

describe('a machine that is too busy to judge the time of a bundle', () => {
  it('takes back what was active before, and nothing else', async () => {
    const here = createPrepareHere(CLOCK, null);
    let busy = false;
    const prepare: Prepare = async (task) =>
      busy && task.policy.worstCaseMs < 60_000 ? { ok: false, error: new CountersignError('bundle_too_slow'), revision: null } : here(task);
    const set = createPolicies(decideOptions(), { clock: CLOCK, logger: SILENT, prepare });
    for (const bundle of bundles) await set.activate('default', bundle);
    busy = true;
    await expect(set.rollback('default', null)).resolves.toMatchObject({ revision: 'r1' });
    await expect(set.activate('default', bundles[1] ?? new Uint8Array())).rejects.toMatchObject({ code: 'bundle_too_slow' });
  });

  it('does not put it down to what was pushed', async () => {
    const data: KeptData = {
      revision: 1,
      roots: {},
      documents: [{ path: ['countersign', 'limits'], json: new Uint8Array(Buffer.from('{}')), sha256: '', at: 0, by: 'ann' }],
      exceptions: [],
      operatorPaths: [],
      file: new Uint8Array(),
      sha256: null,
      bytes: 2,
    };
    const over = prepareOver(async (given) => {
      if (given !== null) throw new CountersignError('bundle_too_slow');
    }, data);
    await expect(over).rejects.toMatchObject({ code: 'bundle_too_slow' });
  });
});
