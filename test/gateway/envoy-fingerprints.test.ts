import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority, type MadeCertificate } from '../support/certificates.ts';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { send } from '../support/http-client.ts';
import { createWorld, decisionLines, jsonObject, type World } from './world.ts';

/** [asks 20] Envoy computes JA3 and JA4 of the client's connection, and the policy reads them. */

const FINGERPRINTS = { ja3: 'x-tls-ja3', ja4: 'x-tls-ja4' };
const FORGED = 't13d1516h2_8daaf6152771_b186095e22b6';

let world: World;
let service: Countersign;
let envoy: Envoy;
let client: MadeCertificate;
let ca: string;
let bearer: string;

beforeAll(async () => {
  world = await createWorld();
  const authority = createAuthority();
  ca = authority.pem;
  const server = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  client = authority.client({ commonName: 'agent-a', uris: ['spiffe://td.test/agent/a'] });
  const front = {
    certFile: file('front.pem', server.pem),
    keyFile: file('front-key.pem', server.keyPem),
    caFile: file('ca.pem', authority.pem),
  };
  service = await world.service({
    peps: [
      {
        name: 'edge',
        anonymous: true,
        trusts: ['client_address', 'client_certificate', 'fingerprint'],
        forwardedFor: { appendsPeer: true },
        fingerprintHeaders: FINGERPRINTS,
      },
    ],
    device: { learningRequests: 1, learningHours: 0 },
    decisions: { log: { sink: 'stdout', input: 'full' } },
  });
  envoy = await world.envoy([service], { front, fingerprintHeaders: FINGERPRINTS });
  bearer = await world.bearer('agent-a', 'orders:read');
});
afterAll(() => world.stop());

function file(name: string, text: string): string {
  const path = join(world.directory, name);
  writeFileSync(path, text);
  return path;
}

/** The device of the decision that this request led to. */
async function deviceOf(headers: readonly string[] = [], ciphers?: string): Promise<Record<string, unknown>> {
  const before = decisionLines(service).length;
  const tls = { ca, cert: client.pem, key: client.keyPem, ...(ciphers === undefined ? {} : { ciphers }) };
  expect((await send(envoy.port, { path: '/orders', headers: ['authorization', bearer, ...headers], tls })).status).toBe(200);
  await expect.poll(() => decisionLines(service).length, { timeout: 5000 }).toBe(before + 1);
  const input = jsonObject(JSON.stringify(decisionLines(service).at(-1)?.['input']));
  const signals = jsonObject(JSON.stringify(input['signals']));
  expect(input['request']).toMatchObject({ flags: [] });
  expect(signals['device']).toMatchObject({ status: 'present' });
  return jsonObject(JSON.stringify(jsonObject(JSON.stringify(signals['device']))['value']));
}

it('both reach the policy, and the same client is no new device', async () => {
  const first = await deviceOf();
  expect(first).toMatchObject({ basis: 'ja4', new_for_client: null, shared_by_clients: 1 });
  expect(String(first['ja3'])).toMatch(/^[0-9a-f]{32}$/);
  expect(String(first['ja4'])).toMatch(/^t1[23][di]\d{4}\w\w_[0-9a-f]{12}_[0-9a-f]{12}$/);
  expect(await deviceOf()).toMatchObject({ ja4: first['ja4'], new_for_client: false });
});

it("a client's own header is overwritten; another TLS client with the same token is a new device", async () => {
  const known = await deviceOf(['x-tls-ja4', FORGED]);
  expect(known['ja4']).not.toBe(FORGED);
  expect(known['new_for_client']).toBe(false);
  const other = await deviceOf(['x-tls-ja4', String(known['ja4'])], 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256');
  expect(other['ja4']).not.toBe(known['ja4']);
  expect(other['new_for_client']).toBe(true);
});
