import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { loadCases } from '../cases/load.ts';
import { enrichmentOf, identityOf, requestOf } from '../cases/signals.ts';
import { editBundle } from '../decide/bundles.ts';
import { baseBundle, createTestPolicies } from '../decide/fixtures.ts';

const MIB = 1 << 20;
const TEN_MINUTES = 600_000;

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Resident memory without garbage. */
async function settledRss(): Promise<number> {
  if (typeof collect !== 'function') throw new Error('the garbage collector cannot be called');
  for (let round = 0; round < 5; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage.rss();
}

describe('memory', () => {
  it(
    '[asks 45] 1,000,000 evaluations: the memory after a tenth of them is what it is at the end',
    async () => {
      const policy = await createTestPolicies().activate('default', await baseBundle());
      const asked = loadCases().map((one) => {
        const request = requestOf(one);
        const identity = identityOf(one, request);
        return [request, identity, enrichmentOf(one, request, identity), policy.routeOf(request)] as const;
      });
      const decide = (count: number): void => {
        for (let index = 0; index < count; index++) {
          const one = asked[index % asked.length];
          if (one !== undefined) policy.decide(...one);
        }
      };
      decide(100_000);
      const before = await settledRss();
      decide(900_000);
      expect((await settledRss()) - before).toBeLessThan(20 * MIB);
    },
    TEN_MINUTES,
  );

  it(
    '[asks 52] 2,000 loads of a policy, and the memory stays level',
    async () => {
      const set = createTestPolicies();
      const base = await baseBundle();
      const bundles = await Promise.all(
        ['a', 'b'].map((revision) =>
          editBundle(base, (files) => {
            const manifest: unknown = JSON.parse(String(Buffer.from(files.get('.manifest') ?? '')));
            files.set('.manifest', JSON.stringify({ ...Object(manifest), revision }));
          }),
        ),
      );
      const load = async (count: number): Promise<void> => {
        for (let index = 0; index < count; index++) {
          const bundle = bundles[index % bundles.length];
          if (bundle !== undefined) await set.activate('default', bundle);
        }
      };
      const samples: number[] = [];
      for (let round = 0; round < 6; round++) {
        await load(400);
        samples.push(await settledRss());
      }
      expect(set.status()).toMatchObject([{ revision: 'b', lastError: null }]);
      // the allocator needs some hundred loads to find its level; after that nothing is added
      const level = Math.max(...samples.slice(0, 3));
      expect((samples.at(-1) ?? Number.POSITIVE_INFINITY) - level).toBeLessThan(20 * MIB);
    },
    TEN_MINUTES,
  );
});
