import { expect, test } from 'vitest';
import { createBatchPdp } from '../src/batch.ts';
import type { Decision } from '../src/contract/decision.ts';
import type { Gathered, Path } from '../src/contract/path.ts';
import type { DecisionRequest } from '../src/contract/request.ts';
import type { ActivePolicy } from '../src/contract/stages.ts';
import { SMOKE_FACTS } from '../src/decide/smoke.ts';
import { ALLOW } from './endpoints/fixtures.ts';
import { requestOf, routeOf } from './enrich/requests.ts';

/* How long a batch holds the event loop, by a path with a clock of its own. */

const policy: ActivePolicy = {
  name: 'default',
  revision: 'r1',
  routeOf: () => routeOf(),
  decide: () => ({ decision: ALLOW, input: () => null, evaluationMs: 0, slow: false, cause: null }),
};
const KNOWN: Gathered = { policy, route: routeOf(), identity: SMOKE_FACTS.identity, enrichment: SMOKE_FACTS.enrichment };

/** A path on which each item takes so long, and every wait for another turn too. */
function pathOf(msAnItem: number, msATurn: number, judged: (request: DecisionRequest) => void, waits: boolean): Path {
  let nowMs = 1000;
  const decide = (request: DecisionRequest): Decision | Promise<Decision> => {
    nowMs += msAnItem;
    setImmediate(() => {
      nowMs += msATurn;
    });
    judged(request);
    return waits ? Promise.resolve(ALLOW) : ALLOW;
  };
  return {
    begin: () => ({
      ...{ policy: null, route: null, identity: null, enrichment: null },
      ...{ startedAtMs: nowMs, identifiedAtMs: nowMs, enrichedAtMs: nowMs },
    }),
    gather: (_request, _progress, next) => next(KNOWN),
    further: (_request, _progress, known, next) => next(known),
    judge: decide,
    fail: () => ({ ...ALLOW, effect: 'deny' }),
  };
}

async function run(msAnItem: number, msATurn: number, waits = false) {
  const items = Array.from({ length: 6 }, (_, index) => ({ ...requestOf(), id: `id-${index}` }));
  const judged: string[] = [];
  const inFirstTurn: number[] = [];
  const path = pathOf(msAnItem, msATurn, ({ id }) => void judged.push(id), waits);
  setImmediate(() => inFirstTurn.push(judged.length));
  const decisions = await createBatchPdp(path, (_request, identity) => identity).decideBatch({ items, stopAfter: null });
  await new Promise((resolve) => setImmediate(resolve));
  return { decisions: decisions.length, judged, inFirstTurn };
}

const ALL = ['id-0', 'id-1', 'id-2', 'id-3', 'id-4', 'id-5'];

test('a quick batch is decided in one turn', async () => {
  expect(await run(0, 0)).toEqual({ decisions: 6, judged: ALL, inFirstTurn: [6] });
});

test.each([
  ['at once', false],
  ['by promises, which alone let nobody in', true],
])('a long one lets others in between, where items are decided %s', async (_how, waits) => {
  expect(await run(3, 0, waits)).toEqual({ decisions: 6, judged: ALL, inFirstTurn: [2] });
});

test('it goes on however long the others take', async () => {
  expect(await run(10, 1000)).toEqual({ decisions: 6, judged: ALL, inFirstTurn: [1] });
});
