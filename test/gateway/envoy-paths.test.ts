import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import { send } from '../support/http-client.ts';
import { createWorld, type World } from './world.ts';

/** A token for orders must not reach `/admin` by any spelling, whether Envoy normalises the path (the recipe) or leaves it as it is. */

const TO_ADMIN = [
  '/orders/../admin/users/1',
  '/orders/%2e%2e/admin/users/1',
  '/orders/.%2e/admin/users/1',
  '/orders//../admin/users/1',
  '/orders/x/../../admin/users/1',
  '//admin/users/1',
  '/./admin/users/1',
  '/admin%2fusers%2f1',
  '/orders/..%2fadmin/users/1',
  '/orders/..%5cadmin/users/1',
  '/orders/..\\admin/users/1',
  '/orders/..;/admin/users/1',
  '/admin;x=1/users/1',
  '/orders/%252e%252e/admin/users/1',
  '/%61dmin/users/1',
  '/admin/users/1?x=/orders/1',
  '/admin/users/1/../1',
];

let world: World;
let service: Countersign;
let reader: string;

beforeAll(async () => {
  world = await createWorld();
  // fifty attacks by one agent are what the template agent_drift is for; here each answer is to be the path's alone
  service = await world.service({}, { limits: { threats: {} } });
  reader = await world.bearer('agent-a', 'orders:read');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

describe.each(['REJECT_REQUEST', 'UNESCAPE_AND_REDIRECT', 'KEEP_UNCHANGED'] as const)('escaped slashes: %s', (escapedSlashes) => {
  it('[asks 12, 99] lets no spelling of an admin path through', async () => {
    const envoy = await world.envoy([service], { escapedSlashes });
    for (const path of TO_ADMIN) {
      const answer = await send(envoy.port, { path, headers: ['authorization', reader] });
      expect(answer.status, path).not.toBe(200);
      expect(answer.status, path).toBeLessThan(500);
    }
    expect(world.upstream.requests.map((request) => request.url)).toEqual([]);
  });

  it('[asks 12] takes a percent-encoded segment and a query for what they are', async () => {
    const envoy = await world.envoy([service], { escapedSlashes });
    const answer = await send(envoy.port, { path: '/orders/%7B1%7D?x=/admin', headers: ['authorization', reader] });
    expect(answer.status).toBe(200);
    expect(world.upstream.requests[0]?.url).toBe('/orders/%7B1%7D?x=/admin');
  });
});
