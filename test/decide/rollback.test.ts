import { beforeAll, describe, expect, it } from 'vitest';
import { editBundle } from './bundles.ts';
import { baseBundle, createTestPolicies } from './fixtures.ts';

let bundles: readonly Uint8Array[];
beforeAll(async () => {
  const base = await baseBundle();
  bundles = await Promise.all(
    ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'].map((revision) =>
      editBundle(base, (files) => {
        const manifest: unknown = JSON.parse(files.get('.manifest')?.toString() ?? '{}');
        files.set('.manifest', Buffer.from(JSON.stringify({ ...(typeof manifest === 'object' ? manifest : {}), revision })));
      }),
    ),
  );
});

async function withRevisions(count: number) {
  const set = createTestPolicies();
  for (const bundle of bundles.slice(0, count)) await set.activate('default', bundle);
  return set;
}

const names = (set: { revisions(name: string): readonly { revision: string }[] }): string[] =>
  set.revisions('default').map(({ revision }) => revision);

describe('rollback', () => {
  it('the last five revisions are kept, the newest first', async () => {
    const set = await withRevisions(6);
    expect(names(set)).toEqual(['r6', 'r5', 'r4', 'r3', 'r2']);
    expect(set.revisions('default').map(({ active }) => active)).toEqual([true, false, false, false, false]);
  });

  it('null is the one before, and twice is back again', async () => {
    const set = await withRevisions(3);
    await expect(set.rollback('default', null)).resolves.toMatchObject({ revision: 'r2' });
    expect(set.status()).toMatchObject([{ revision: 'r2' }]);
    await expect(set.rollback('default', null)).resolves.toMatchObject({ revision: 'r3' });
  });

  it('any of them by name', async () => {
    const set = await withRevisions(6);
    await expect(set.rollback('default', 'r3')).resolves.toMatchObject({ revision: 'r3' });
    expect(names(set)).toEqual(['r3', 'r6', 'r5', 'r4', 'r2']);
  });

  it.each([null, 'r1'])('one that is not kept is refused, and the active one stays: %s', async (revision) => {
    const set = await withRevisions(1);
    if (revision !== null) for (const bundle of bundles.slice(1)) await set.activate('default', bundle);
    const before = set.status()[0]?.revision;
    await expect(set.rollback('default', revision)).rejects.toMatchObject({ code: 'revision_unknown' });
    expect(set.status()).toMatchObject([{ revision: before, lastError: null }]);
  });

  it('of a policy that nobody knows', async () => {
    const set = await withRevisions(1);
    await expect(set.rollback('other', null)).rejects.toMatchObject({ code: 'policy_unknown' });
    expect(() => set.revisions('other')).toThrow(expect.objectContaining({ code: 'policy_unknown' }));
  });

  it('activations of one policy run in their order', async () => {
    const set = await withRevisions(0);
    await Promise.all(bundles.slice(0, 3).map((bundle) => set.activate('default', bundle)));
    expect(names(set)).toEqual(['r3', 'r2', 'r1']);
  });
});
