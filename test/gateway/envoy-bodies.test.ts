import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { send } from '../support/http-client.ts';
import { createWorld, type World } from './world.ts';

/** Bodies that are larger than a gRPC message may be: an RPC failure would let them pass under failure_mode_allow (TRAPS 3). */

const FIVE_MB = Buffer.alloc(5_000_000, 0x61);
const BELOW_LIMIT = Buffer.alloc(3_900_000, 0x61);

let world: World;
let service: Countersign;
let writer: string;

beforeAll(async () => {
  world = await createWorld();
  service = await world.service();
  writer = await world.bearer('agent-a', 'orders:write');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

describe.each([false, true])('failure_mode_allow: %s', (failureModeAllow) => {
  let withBody: Envoy;
  let withoutBody: Envoy;

  beforeAll(async () => {
    const requestBody = { bytesMax: 8_000_000, allowPartial: false };
    withBody = await world.envoy([service], { failureModeAllow, timeoutMs: 5_000, requestBody });
    withoutBody = await world.envoy([service], { failureModeAllow });
  });

  it('[asks 16] 5 MB on a denied path never reach the upstream, the body being sent along', async () => {
    const answer = await post(withBody, '/elsewhere', FIVE_MB);
    expect(answer.status).toBe(413);
    expect(world.upstream.begun).toBe(0);
    expect(world.upstream.bytes).toBe(0);
    expect(await withBody.stat('http.front.ext_authz.error')).toBe(0);
  });

  it('[asks 16] 5 MB on a path that would be allowed neither', async () => {
    expect((await post(withBody, '/orders', FIVE_MB)).status).toBe(413);
    expect(world.upstream.begun).toBe(0);
  });

  it('5 MB on a denied path never reach the upstream, the body being kept back', async () => {
    const answer = await post(withoutBody, '/elsewhere', FIVE_MB);
    expect(answer.status).toBe(403);
    expect(world.upstream.begun).toBe(0);
    expect(world.upstream.bytes).toBe(0);
  });

  it('[asks 16] 3.9 MB on an allowed path arrive whole, and the service lives on', async () => {
    expect((await post(withBody, '/orders', BELOW_LIMIT)).status).toBe(200);
    expect(world.upstream.requests[0]?.bodyBytes).toBe(BELOW_LIMIT.length);
    expect((await post(withBody, '/orders', Buffer.from('x'))).status).toBe(200);
  });
});

/** Envoy may answer and close before it has read a large body: then the client's write fails, and the answer is what counts. */
function post(envoy: Envoy, path: string, body: Buffer) {
  return send(envoy.port, { method: 'POST', path, headers: ['authorization', writer, 'content-type', 'application/octet-stream'], body });
}
