import { array, asyncProperty, assert as check, constantFrom, record } from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DecisionRecord } from '../../src/contract/record.ts';
import { createEnricher } from '../../src/enrich/enricher.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import { bundleOf, createRollout, type RolloutWorld } from '../decide/rollout/world.ts';
import { status } from '../record/records.ts';

/* A candidate in shadow changes no answer and no counter, whatever it would decide. */

const ACTIVE = `default decision := {"effect": "allow", "reasons": ["a.granted"]}

decision := {"effect": "deny", "reasons": ["a.busy"]} if input.signals.rate.value.address["1m"] > 3
`;
const CANDIDATES: Readonly<Record<string, string>> = {
  denies: 'decision := {"effect": "deny", "reasons": ["a.closed"]}',
  fails: 'decision := 7 if input.request.path == "/2"',
  collects: 'decision := {"effect": "deny", "collect": ["introspection"]}',
  writes: 'decision := {"effect": "allow", "upstream": {"headers_to_set": {"x-candidate": input.request.path}}}',
};

const clock = { now: () => 1_790_000_000_000, monotonic: () => 0 };
const worlds: { readonly plain: RolloutWorld; readonly shadowed: RolloutWorld }[] = [];

async function worldOf(active: Uint8Array, candidate: Uint8Array, share: number): Promise<RolloutWorld> {
  const windows = createMemoryWindows({ entriesMax: 1000, startedAtMs: 0 });
  const enricher = createEnricher({ databases: [], registryCountry: null, trustedProxies: [], windows, clock });
  return createRollout({ active, candidate, shadow: { share }, enricher });
}

beforeAll(async () => {
  const active = await bundleOf('a1', ACTIVE);
  for (const rego of Object.values(CANDIDATES)) {
    const candidate = await bundleOf('c1', rego);
    worlds.push({ plain: await worldOf(active, candidate, 0), shadowed: await worldOf(active, candidate, 1) });
  }
}, 60_000);
afterAll(() => {
  for (const { plain, shadowed } of worlds) for (const world of [plain, shadowed]) world.stop();
});

const question = record({
  path: constantFrom('/1', '/2', '/3'),
  client: constantFrom(null, 'agent-a', 'agent-b'),
  ip: constantFrom('203.0.113.7', '203.0.113.8', '2001:db8::1'),
});

/** Everything of a record but the times, which are those of the machine. */
const told = (records: readonly DecisionRecord[]) => records.map(({ times: _, input, ...others }) => ({ ...others, input: input('full') }));

async function countersOf(records: readonly DecisionRecord[]): Promise<string[]> {
  const metrics = createMetrics({ version: '1', node: '26', clock, status: () => status, processMetrics: false });
  for (const one of records) metrics.count(one);
  return (await metrics.scrape()).text.split('\n').filter((line) => !line.includes('_seconds'));
}

it('answers, records, counters of callers and metrics are those without it', async () => {
  let differed = 0;
  await check(
    asyncProperty(array(question, { maxLength: 8 }), constantFrom(0, 1, 3), async (questions, every) => {
      for (const { plain, shadowed } of worlds) {
        for (const world of [plain, shadowed]) world.records.length = 0;
        for (const [index, { path, ...who }] of questions.entries()) {
          const answer = await plain.ask(path, who);
          expect(await shadowed.ask(path, who)).toEqual(answer);
          if (every > 0 && index % every === 0) shadowed.later();
        }
        shadowed.later();
        expect(told(shadowed.records)).toEqual(told(plain.records));
        expect(await countersOf(shadowed.records)).toEqual(await countersOf(plain.records));
        differed += shadowed.diffs.length;
        shadowed.diffs.length = 0;
      }
    }),
    { numRuns: 60 },
  );
  expect(differed).toBeGreaterThan(0);
}, 60_000);
