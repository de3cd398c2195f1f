import { expect, test } from 'vitest';
import { createBatchPdp } from '../src/batch.ts';
import type { Path } from '../src/contract/path.ts';
import { SMOKE_FACTS } from '../src/decide/smoke.ts';
import { ALLOW } from './endpoints/fixtures.ts';
import { requestOf, routeOf } from './enrich/requests.ts';

/* What a policy collects for one item of a batch. */

const { identity, enrichment } = SMOKE_FACTS;
const policy = {
  ...{ name: 'default', revision: 'r1', routeOf: () => routeOf() },
  decide: () => ({ decision: ALLOW, input: () => null, evaluationMs: 0, slow: false, cause: null }),
};

test.each([false, true])('is there for all after it, and in their records; waits: %s', async (waits) => {
  const collected = { ...enrichment };
  const seen: boolean[][] = [];
  const path: Path = {
    begin: () => ({ policy: null, route: null, identity: null, enrichment: null, startedAtMs: 0, identifiedAtMs: 0, enrichedAtMs: 0 }),
    gather: (_request, progress, next) => {
      Object.assign(progress, { identity, enrichment });
      return next({ policy, route: routeOf(), identity, enrichment });
    },
    further: (_request, _progress, known, next) => next(known),
    judge: (request, progress, known) => {
      seen.push([known.enrichment === collected, progress.enrichment === collected]);
      if (request.id === 'id-1') progress.enrichment = collected;
      return waits ? Promise.resolve(ALLOW) : ALLOW;
    },
    fail: () => ({ ...ALLOW, effect: 'deny' }),
  };
  const items = Array.from({ length: 4 }, (_, index) => ({ ...requestOf(), id: `id-${index}` }));
  await createBatchPdp(path, (_request, known) => known).decideBatch({ items, stopAfter: null });
  expect(seen).toEqual([
    [false, false],
    [false, false],
    [true, true],
    [true, true],
  ]);
});
