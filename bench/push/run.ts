// How long a push of a large document holds decisions up: node bench/push/run.ts [--entries N] [--rounds N]. Needs OPA. Ends with 1 where
// the event loop was late by more than the goal, or a question had no answer.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createAdminClient, OPERATORS } from '../../test/support/admin-client.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from '../../test/support/countersign.ts';

const { values } = parseArgs({ options: { entries: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '3' } } });
const count = Number(values.entries);
const rounds = Number(values.rounds);
const IN_FLIGHT = 8;
/** Between two questions of one connection, so that the load takes about half a core. */
const PAUSE_MS = 2;
const LAG_GOAL_MS = 20;
/** Of the threads of this process: callers are on other machines, and take no core from the service. */
const NICE = 15;

const each = (make: (index: number) => [string, unknown]) => Object.fromEntries(Array.from({ length: count }, (_, index) => make(index)));
const address = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
const DOCUMENTS: Readonly<Record<string, unknown>> = {
  'tenants/default/accounts': each((index) => [`account-${index}`, { plan: 'team', limit: index, tags: ['a', 'b'] }]),
  'countersign/limits/network/addresses_blocked': Array.from({ length: count }, (_, index) => address(index)),
  'countersign/routes': each((index) => [
    `r${index}`,
    { methods: ['GET'], path: `/items/${index}/{id}`, tier: 'low', scopes: ['items:read'] },
  ]),
};

/** Asks without a pause until told to stop; the number of questions, and of answers that were none. */
function startLoad(port: number): { readonly stop: () => Promise<{ asked: number; failed: number }> } {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const body = JSON.stringify({
    request: { id: '1', method: 'GET', scheme: 'https', host: 'api.example.com', path: '/orders/1', headers: {} },
  });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const tally = { asked: 0, failed: 0 };
  let going = true;
  const ask = () =>
    new Promise<void>((resolve) => {
      const call = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/decide', headers }, (answer) => {
        if (answer.statusCode !== 200) tally.failed += 1;
        answer.resume();
        answer.on('end', resolve);
      });
      call.on('error', () => {
        tally.failed += 1;
        resolve();
      });
      call.end(body);
    });
  const connections = Array.from({ length: IN_FLIGHT }, async () => {
    while (going) {
      tally.asked += 1;
      await ask();
      await sleep(PAUSE_MS);
    }
  });
  return {
    async stop() {
      going = false;
      await Promise.all(connections);
      agent.destroy();
      return tally;
    },
  };
}

/** The lag since it was last asked for. */
async function lagOf(service: Countersign): Promise<Record<'max' | 'p99' | 'busy', number>> {
  const before = service.child.stderr().split('\nlag ').length;
  service.child.kill('SIGUSR2');
  for (;;) {
    await sleep(20);
    const lines = `\n${service.child.stderr()}`.split('\nlag ');
    const last = lines.at(-1);
    if (lines.length > before && last?.includes('\n')) return JSON.parse(last);
  }
}

const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-push-'));
const service = await startCountersign({
  config: {
    operations: { tokens: OPERATORS },
    state: { directory },
    policy: { bundle: join(PROJECT_ROOT, 'policies'), memoryPagesMax: 8192 },
    decisions: { log: { sink: 'none' } },
  },
  nodeOptions: ['--import', join(import.meta.dirname, 'lag-probe.ts')],
});
for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), NICE);
const lags: number[] = [];
try {
  const admin = createAdminClient(service.operationsPort);
  const load = startLoad(service.httpPort);
  await sleep(2000);
  await lagOf(service);
  for (const [path, document] of Object.entries(DOCUMENTS)) {
    const body = JSON.stringify(document);
    for (let round = 0; round < rounds; round++) {
      await sleep(1500);
      const quiet = await lagOf(service);
      const startedMs = performance.now();
      const { status, json } = await admin(`data/${path}`, {
        method: 'PUT',
        body,
        ...(round === 0 && path.startsWith('tenants') ? { ifNoneMatch: '*' } : {}),
      });
      const tookMs = performance.now() - startedMs;
      const { max, p99, busy } = await lagOf(service);
      lags.push(max);
      const took = `${Math.round(tookMs)} ms`;
      console.log(
        `${path} ${count} entries, ${(body.length / 1e6).toFixed(1)} MB: ${status} in ${took}; longest turn ${busy} ms of work (${quiet.busy} without a push); lag max ${max} ms (${quiet.max}), p99 ${p99} ms`,
        status === 200 || status === 201 ? '' : JSON.stringify(json).slice(0, 400),
      );
    }
    await admin(`data/${path}`, { method: 'DELETE' });
  }
  const { asked, failed } = await load.stop();
  console.log(`${asked} questions under way, ${failed} without an answer`);
  const over = lags.filter((lagMs) => lagMs >= LAG_GOAL_MS).length;
  console.log(`lag max ${Math.max(...lags)} ms in ${lags.length} pushes, ${over} of them over the goal of ${LAG_GOAL_MS} ms`);
  if (over > 0 || failed > 0) process.exitCode = 1;
} finally {
  await service.stop();
  rmSync(directory, { recursive: true, force: true });
}
