// What a candidate beside the policy costs: node bench/rollout.ts [rounds]; prints microseconds of CPU a decision, of one process, for each share.
// Variants are measured in turn, and CPU time is counted instead of the clock: what else the machine does hardly changes it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestOf } from '../src/cases/signals.ts';
import type { DecisionRequest } from '../src/contract/request.ts';
import type { Clock, Pdp } from '../src/contract/stages.ts';
import { buildBundle } from '../src/decide/bundle-build.ts';
import { createPolicies, type PolicySet } from '../src/decide/policies.ts';
import type { CandidateOptions } from '../src/decide/rollout/candidate.ts';
import { SMOKE_FACTS } from '../src/decide/smoke.ts';
import { createPdp } from '../src/pdp.ts';
import { readDocumentFile } from '../src/stores/read-file.ts';
import { loadCases } from '../test/cases/load.ts';
import { decideOptions, ENTRYPOINT, OPA_BIN, policyOptions, SILENT } from '../test/decide/fixtures.ts';
import { sourceOf } from '../test/decide/rollout/world.ts';
import { copyPolicies } from '../test/support/policy-directory.ts';
import { median } from './measure.ts';

const ROUNDS = Number(process.argv[2] ?? 9);
const REQUESTS = 2000;
/** Requests that are answered before the event loop turns, as under load. */
const BURST = 8;
const SECRET = '000102030405060708090a0b0c0d0e0f';
const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

const [one] = loadCases();
if (one === undefined) throw new Error('there are no cases');
const question: DecisionRequest = { ...requestOf(one), deadlineAtMs: Number.MAX_SAFE_INTEGER };
const identity = { ...SMOKE_FACTS.identity, subject: { ...SMOKE_FACTS.identity.subject, id: 'agent-a', client: 'agent-a' } };

const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-rollout-'));
const build = async (name: string, routes: Parameters<typeof copyPolicies>[1]): Promise<Uint8Array> => {
  const folder = join(directory, name);
  copyPolicies(folder, routes);
  return buildBundle({ opaBin: OPA_BIN, directory: folder, entrypoint: ENTRYPOINT });
};

type Variant = { readonly label: string; readonly pdp: Pdp; readonly set: PolicySet; readonly us: number[] };

async function variant(label: string, bundles: readonly Uint8Array[], of: Partial<CandidateOptions> | null): Promise<Variant> {
  const [active = new Uint8Array(), next = active] = bundles;
  const shadow = { share: 0, budgetMs: 100, queueMax: 256, diffsPerSecond: 10, ...of?.shadow };
  const canary = { percent: 0, keyFile: null, secret: SECRET, ...of?.canary };
  const candidate = of === null ? null : { bundle: 'candidate', shadow, canary };
  const set = createPolicies(decideOptions({ policies: { default: policyOptions({ candidate }) } }), {
    clock,
    logger: SILENT,
    readFile: readDocumentFile,
    openSource: () => ({ ...sourceOf(active).source, delayMs: () => 3_600_000 }),
    rollout: {
      accountOf: ({ source }) => source.ip,
      random: Math.random,
      later: (work) => void setImmediate(work),
      onDiff: () => undefined,
      openCandidate: () => ({ ...sourceOf(next).source, delayMs: () => 3_600_000 }),
    },
  });
  await set.load();
  const pdp = createPdp({
    policies: set,
    identifier: { identify: () => identity },
    enricher: { enrich: () => SMOKE_FACTS.enrichment, enrichFurther: (_request, _identity, _route, before) => before },
    sources: { introspection: (_request, facts) => facts },
    recorder: { record: (record) => set.shadow?.observe(record) },
    clock,
  });
  return { label, pdp, set, us: [] };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Until nothing waits in the queue. */
async function drained({ set }: Variant): Promise<void> {
  while ((set.status()[0]?.candidate?.shadow.queued ?? 0) > 0) await turn();
}

async function measure(of: Variant): Promise<void> {
  const before = process.cpuUsage();
  for (let count = 0; count < REQUESTS; count += 1) {
    await of.pdp.decide({ ...question, receivedAtMs: clock.now() });
    if (count % BURST === 0) await turn();
  }
  await drained(of);
  const { user, system } = process.cpuUsage(before);
  of.us.push((user + system) / REQUESTS);
}

try {
  const routes = { extra: { methods: ['GET'], path: '/extra', tier: 'low', public: true } } as const;
  const bundles = [await build('active', {}), await build('candidate', { routes })];
  const unbounded = { budgetMs: 1000, queueMax: 10_000, diffsPerSecond: 10 };
  const variants = [
    await variant('no candidate', bundles, null),
    await variant('share 0', bundles, {}),
    await variant('share 0.1', bundles, { shadow: { share: 0.1, ...unbounded } }),
    await variant('share 1, without a bound', bundles, { shadow: { share: 1, ...unbounded } }),
    await variant('share 1, 100 ms of each second', bundles, { shadow: { share: 1, ...unbounded, budgetMs: 100 } }),
    await variant('canary of 0.001 %', bundles, { canary: { percent: 0.001, keyFile: null, secret: SECRET } }),
  ];
  for (let round = 0; round < 3; round += 1) for (const each of variants) await measure(each);
  for (const { us } of variants) us.length = 0;
  for (let round = 0; round < ROUNDS; round += 1) for (const each of variants) await measure(each);
  const base = median(variants[0]?.us ?? []);
  for (const { label, us, set } of variants) {
    const { same, other_reason, differs, dropped } = set.status()[0]?.candidate?.shadow.results ?? {};
    const results = same === undefined ? '' : `; same ${same}, other reason ${other_reason}, differs ${differs}, dropped ${dropped}`;
    console.log(`${label}: ${median(us).toFixed(1)} us of CPU a decision (${(median(us) - base).toFixed(1)} more)${results}`);
    set.stop();
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
