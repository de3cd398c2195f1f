// What a candidate beside the policy costs: node bench/rollout.ts [rounds] [in flight]; prints rates, p99 and CPU of workload W1 for each share.

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeCheckRequest } from './check-request.ts';
import { cpuSeconds, median, runLoad, writeQuestions } from './measure.ts';
import { type Server, startPinnedCountersign } from './peers.ts';
import { writeCountersignPolicies } from './policy-directory.ts';
import { createWorkload } from './workload.ts';

const ROUNDS = Number(process.argv[2] ?? 3);
const IN_FLIGHT = Number(process.argv[3] ?? 64);
const WARM_UP_MS = 5000;
/** Until the candidate is compiled and loaded. */
const LOAD_MS = 8000;
const SECRET = '000102030405060708090a0b0c0d0e0f';
const EXTRA_ROUTE = 'extra: { methods: [GET], path: /extra, tier: low, public: true }\n';

const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-rollout-'));
const servers: Server[] = [];
try {
  const workload = createWorkload();
  const policies = join(directory, 'w1');
  const bundle = join(directory, 'candidate');
  for (const one of [policies, bundle]) writeCountersignPolicies(one, workload, 'w1');
  appendFileSync(join(bundle, 'countersign/routes/data.yaml'), EXTRA_ROUTE);
  const questionsFile = writeQuestions(
    directory,
    'grpc',
    workload.asks.map((ask) => ({ expected: ask.expected, body: encodeCheckRequest(ask, null) })),
  );
  const variants: Readonly<Record<string, Readonly<Record<string, unknown>> | null>> = {
    'no candidate': null,
    'share 0': { bundle },
    'share 0.1': { bundle, shadow: { share: 0.1 } },
    'share 1, 100 ms a second': { bundle, shadow: { share: 1 } },
    'share 1, without a bound': { bundle, shadow: { share: 1, budgetMs: 1000, queueMax: 10_000 } },
    'canary of 10 %': { bundle, canary: { percent: 10, secret: SECRET } },
  };
  const measured = new Map<string, { perSecond: number; p99: number; cpuUs: number }[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [label, candidate] of Object.entries(variants)) {
      const variant = { policies, ...(candidate === null ? {} : { candidate }) };
      const server = await startPinnedCountersign('rollout', directory, workload, variant);
      servers.push(server);
      await sleep(LOAD_MS);
      const load = (warmUpMs: number, measureMs: number) =>
        runLoad({
          protocol: 'grpc',
          port: server.grpcPort,
          path: '',
          extraHeaders: '',
          inFlight: IN_FLIGHT,
          connections: 1,
          warmUpMs,
          measureMs,
          checkAnswers: false,
          questionsFile,
        });
      await load(WARM_UP_MS, 100);
      const before = cpuSeconds(server.pid);
      const { perSecond, p99, effects } = await load(0, 3000);
      const answers = Object.values(effects).reduce((sum, count) => sum + count, 0);
      const cpuUs = ((cpuSeconds(server.pid) - before) / answers) * 1e6;
      measured.set(label, [...(measured.get(label) ?? []), { perSecond, p99, cpuUs }]);
      await server.stop();
      servers.pop();
    }
  }
  for (const [label, rounds] of measured) {
    const of = (key: 'perSecond' | 'p99' | 'cpuUs'): number => median(rounds.map((one) => one[key]));
    console.log(
      `${label}: ${of('perSecond').toLocaleString('en')} req/s, p99 ${(of('p99') / 1000).toFixed(2)} ms, ${of('cpuUs').toFixed(1)} us of CPU each`,
    );
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(directory, { recursive: true, force: true });
}
