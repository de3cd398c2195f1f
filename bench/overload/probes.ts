import { connectGrpc } from '../../test/support/grpc-client.ts';
import type { OpenJob, OpenResult } from './open-job.ts';

const EVERY_MS = 50;
const BOUND_MS = 1000;
const HEALTH = '/grpc.health.v1.Health/Check';
/** `HealthCheckResponse{status: SERVING}`. */
const SERVING = '0801';

export type Probes = { stop(): Pick<OpenResult, 'probeP50' | 'probeMax' | 'probes' | 'probesFailed'> };

/** Asks `/livez`, `/readyz` and gRPC health in turn, on connections of their own, as an orchestrator and a gateway do. */
export function startProbes({ operationsPort, grpcPort }: OpenJob): Probes {
  const times: number[] = [];
  let failed = 0;
  let over = false;
  const http = async (path: string): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${operationsPort}${path}`, { signal: AbortSignal.timeout(BOUND_MS) })).status === 200;
  const grpc = async (): Promise<boolean> => {
    const client = await connectGrpc(`http://127.0.0.1:${grpcPort}`);
    const answer = await client.unary(HEALTH, new Uint8Array());
    await client.close();
    return answer.messages[0]?.toString('hex') === SERVING;
  };
  const kinds = [() => http('/livez'), () => http('/readyz'), grpc];
  const run = async (): Promise<void> => {
    for (let index = 0; !over; index += 1) {
      const began = performance.now();
      const yes = await kinds[index % kinds.length]?.().catch(() => false);
      const ms = performance.now() - began;
      if (over) break;
      times.push(ms);
      if (yes !== true || ms > BOUND_MS) failed += 1;
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  };
  void run();
  return {
    stop() {
      over = true;
      const sorted = [...times].sort((one, other) => one - other);
      const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
      return { probeP50: at(0.5), probeMax: at(1), probes: times.length, probesFailed: failed };
    },
  };
}
