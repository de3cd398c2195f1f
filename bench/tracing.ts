import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCountersign } from '../test/support/countersign.ts';
import { encodeCheck } from '../test/support/ext-authz-wire.ts';
import { connectGrpc } from '../test/support/grpc-client.ts';
import { CHECK } from '../test/support/grpc-fixture.ts';
import { copyPolicies } from '../test/support/policy-directory.ts';
import { cpuSeconds, median } from './measure.ts';

/** What traces cost a decision: `node bench/tracing.ts`. Services that differ in `tracing` alone, one after the other, round after round; CPU time of the process, since rates on a shared machine say little. */

const ROUNDS = 9;
const QUESTIONS = 5000;
const WARM_UP = 12_000;
const IN_FLIGHT = 32;
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';

const collector = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end());
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
const address = collector.address();
const endpoint = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/v1/traces`;
const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-tracing-'));
copyPolicies(join(directory, 'policies'), {});

const VARIANTS: readonly (readonly [name: string, tracing: object | null, traceparent: string | null])[] = [
  ['off', null, null],
  ['off, the call with a traceparent', null, TRACEPARENT],
  ['ids only', {}, null],
  ['ratio 0.01', { endpoint, ratio: 0.01 }, null],
  ['parent not sampled', { endpoint, ratio: 1 }, TRACEPARENT],
  ['ratio 1', { endpoint, ratio: 1, queueSpansMax: 100_000 }, null],
];

const message = encodeCheck({ http: { method: 'GET', path: '/orders/1', host: 'api.example.com' } });
const running = await Promise.all(
  VARIANTS.map(async ([name, tracing, traceparent]) => {
    const config = {
      peps: [{ name: 'edge', anonymous: true }],
      policy: { bundle: join(directory, 'policies') },
      decisions: { log: { sink: 'none' } },
      tracing,
    };
    const service = await startCountersign({ config });
    const client = await connectGrpc(`http://127.0.0.1:${service.grpcPort}`);
    return { name, service, client, metadata: traceparent === null ? {} : { traceparent }, us: [] as number[] };
  }),
);

for (const one of running) await ask(one, WARM_UP);
for (let round = 0; round < ROUNDS; round++) {
  for (const one of running) {
    const before = cpuSeconds(one.service.child.pid);
    await ask(one, QUESTIONS);
    one.us.push(((cpuSeconds(one.service.child.pid) - before) / QUESTIONS) * 1e6);
  }
}
for (const { name, us } of running)
  console.log(`${name.padEnd(34)} ${median(us).toFixed(1)} µs a decision, least ${Math.min(...us).toFixed(1)}`);
for (const { client, service } of running) {
  await client.close();
  await service.stop();
}
collector.close();
rmSync(directory, { recursive: true, force: true });

async function ask({ client, metadata }: (typeof running)[number], count: number): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await client.unary(CHECK, message, metadata);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}
