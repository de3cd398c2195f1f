import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAuthority } from '../../test/support/certificates.ts';
import { encodeCheckRequest } from '../check-request.ts';
import { runLoad, runLoader, writeQuestions } from '../measure.ts';
import { type Server, startPinnedCountersign } from '../peers.ts';
import { writeCountersignPolicies } from '../policy-directory.ts';
import { createWorkload, decideBody } from '../workload.ts';
import type { OpenJob, OpenResult } from './open-job.ts';

/**
 * Offers more than a process can answer, in an open loop: `node bench/overload/run.ts [--protocols grpc,http] [--factors 0.5,1,2,3] [--queue-ms default,null]
 * [--hogs 0] [--measure-ms 4000]`. The factors are of what the same process answered in a closed loop before. `--hogs` loops beside it share its core.
 * Ends with 1 where, with the defaults and no hogs, less than `GOOD_MIN` of the capacity is answered in time, a question was refused in no known form, a probe
 * was not answered, or the process grew beyond `RESIDENT_MB_MAX`.
 */
const GOOD_MIN: ReadonlyMap<number, number> = new Map([
  [1, 0.8],
  [2, 0.7],
  [3, 0.35],
]);
const RESIDENT_MB_MAX = 1024;
const USEFUL_MS = 200;

const { values: options } = parseArgs({
  options: {
    protocols: { type: 'string', default: 'grpc,http' },
    factors: { type: 'string', default: '0.5,1,2,3' },
    'queue-ms': { type: 'string', default: 'default,null' },
    hogs: { type: 'string', default: '0' },
    'measure-ms': { type: 'string', default: '4000' },
    script: { type: 'string' },
  },
});
const measureMs = Number(options['measure-ms']);

const directory = mkdtempSync(join(tmpdir(), 'countersign-overload-'));
let missed = 0;
try {
  const workload = createWorkload();
  const policies = join(directory, 'policies');
  writeCountersignPolicies(policies, workload, 'full');
  const certificate = createAuthority().client({ commonName: 'client-0', uris: ['spiffe://bench.example/client/0'] }).pem;
  const files = {
    grpc: writeQuestions(
      directory,
      'grpc',
      workload.asks.map((ask) => ({ body: encodeCheckRequest(ask, certificate), expected: ask.expected })),
    ),
    http: writeQuestions(
      directory,
      'http',
      workload.asks.map((ask) => ({
        body: Buffer.from(JSON.stringify({ ...decideBody(ask), certificate: { pem: certificate } })),
        expected: ask.expected,
      })),
    ),
  };
  for (const queueMs of options['queue-ms'].split(',')) {
    const overload = queueMs === 'default' ? {} : { overload: { queueMs: queueMs === 'null' ? null : Number(queueMs) } };
    const server = await startPinnedCountersign(`overload-${queueMs}`, directory, workload, {
      policies,
      sections: overload,
      ...(options.script === undefined ? {} : { script: options.script }),
    });
    for (const protocol of ['grpc', 'http'] as const)
      if (options.protocols.split(',').includes(protocol)) await measure(server, protocol, files[protocol], queueMs);
    await server.stop();
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;

async function measure(server: Server, protocol: 'grpc' | 'http', questionsFile: string, queueMs: string): Promise<void> {
  const port = protocol === 'grpc' ? server.grpcPort : server.httpPort;
  const closed = { protocol, port, path: '/decide', extraHeaders: '', inFlight: 64, connections: 2, checkAnswers: true, questionsFile };
  await runLoad({ ...closed, warmUpMs: 300, measureMs: 4000 });
  const { perSecond: capacity } = await runLoad({ ...closed, warmUpMs: 300, measureMs: 2000 });
  console.log(`\n${protocol}, overload.queueMs ${queueMs}, ${options.hogs} hogs: ${capacity} a second in a closed loop of 64`);
  console.log(
    'offered | good   of capacity | late | shed | expired | failed | good p50, p99 ms | shed p99 | probes p50, max ms, failed | RSS MB | loader',
  );
  const hogs = Array.from({ length: Number(options.hogs) }, () => spawn('taskset', ['-c', '0', process.execPath, '-e', 'for(;;);']));
  try {
    for (const factor of options.factors.split(',').map(Number)) {
      const { grpcPort, operationsPort } = server;
      const rate = { perSecond: Math.round(capacity * factor), warmUpMs: 1500, measureMs, usefulMs: USEFUL_MS };
      const ports = { port, grpcPort, operationsPort };
      const job: OpenJob = { protocol, ...ports, ...rate, connections: protocol === 'grpc' ? 4 : 3000, questionsFile };
      const got = await runLoader<OpenResult>('overload/open-load.ts', job);
      const ratio = got.goodPerSecond / capacity;
      console.log(
        [
          `${got.offeredPerSecond} (${factor})`,
          `${got.goodPerSecond} ${ratio.toFixed(2)}`,
          ...[got.latePerSecond, got.shedPerSecond, got.expiredPerSecond, got.failed],
          `${got.goodP50}, ${got.goodP99}`,
          got.shedP99,
          `${got.probeP50}, ${got.probeMax}, ${got.probesFailed} of ${got.probes}`,
          residentMb(server.pid),
          got.loaderBusy.toFixed(2),
        ].join(' | '),
      );
      if (got.firstFailed !== null) console.log(`  failed: ${JSON.stringify(got.firstFailed)}`);
      const wrong = got.failed > 0 || got.probesFailed > 0 || residentMb(server.pid) > RESIDENT_MB_MAX;
      if (queueMs === 'default' && hogs.length === 0 && (wrong || ratio < (GOOD_MIN.get(factor) ?? 0))) missed += 1;
    }
  } finally {
    for (const hog of hogs) hog.kill('SIGKILL');
  }
}

/** 0 where the system has no /proc. */
function residentMb(pid: number): number {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}
