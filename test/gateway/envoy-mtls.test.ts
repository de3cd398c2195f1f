import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Authority, createAuthority, type MadeCertificate } from '../support/certificates.ts';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import type { TlsFiles } from '../support/envoy-config.ts';
import { type Received, send } from '../support/http-client.ts';
import { createWorld, type World } from './world.ts';

/** Clients come to Envoy with mTLS; the certificate reaches the decision and lifts the assurance from 2 to 3. */

const SPIFFE_A = 'spiffe://td.test/agent/a';
const SPIFFE_B = 'spiffe://td.test/agent/b';

let world: World;
let authority: Authority;
let front: TlsFiles;
let ofA: MadeCertificate;
let ofB: MadeCertificate;
let service: Countersign;
let payer: string;

beforeAll(async () => {
  world = await createWorld();
  authority = createAuthority();
  const server = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  front = {
    certFile: file('front.pem', server.pem),
    keyFile: file('front-key.pem', server.keyPem),
    caFile: file('ca.pem', authority.pem),
  };
  ofA = authority.client({ commonName: 'agent-a', uris: [SPIFFE_A] });
  ofB = authority.client({ commonName: 'agent-b', uris: [SPIFFE_B] });
  service = await world.service(settings(['client_address', 'client_certificate']));
  payer = await world.bearer('agent-a', 'payments:write');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

describe.each([
  ['source.certificate of ext_authz', { includePeerCertificate: true }],
  ['x-forwarded-client-cert', { forwardClientCertificate: 'SANITIZE_SET' }],
  ['both', { includePeerCertificate: true, forwardClientCertificate: 'SANITIZE_SET' }],
] as const)('the certificate by %s', (_, options) => {
  let envoy: Envoy;
  beforeAll(async () => {
    envoy = await world.envoy([service], { front, ...options });
  });

  it('[asks 19] lifts the assurance to 3, which the high tier asks for', async () => {
    const answer = await pay(envoy, ofA);
    expect(answer.status).toBe(200);
    expect(world.upstream.requests[0]?.headers).toMatchObject({ 'x-countersign-assurance': '3', 'x-countersign-client-id': 'agent-a' });
  });

  it('of another client than the token is a conflict and denied', async () => {
    const answer = await pay(envoy, ofB);
    expect(answer.status).toBe(403);
    expect(world.upstream.begun).toBe(0);
  });

  it("[asks 19] a client's own x-forwarded-client-cert changes nothing", async () => {
    const forged = `Hash=${'ab'.repeat(32)};URI=${SPIFFE_B}`;
    const answer = await pay(envoy, ofA, ['x-forwarded-client-cert', forged]);
    expect(answer.status).toBe(200);
    expect(world.upstream.requests[0]?.headers['x-countersign-client-id']).toBe('agent-a');
  });
});

describe('a gateway that is not trusted for client certificates', () => {
  it('does not lift the assurance: the answer is the step_up', async () => {
    const distrusting = await world.service(settings(['client_address']));
    const envoy = await world.envoy([distrusting], { front, includePeerCertificate: true, forwardClientCertificate: 'SANITIZE_SET' });
    const answer = await pay(envoy, ofA);
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('mtls');
    expect(world.upstream.begun).toBe(0);
  });
});

describe('a trust bundle and a revocation list of the service itself', () => {
  const verified = (bundle: string, trustDomain: string, more: Record<string, unknown> = {}) =>
    settings(['client_address', 'client_certificate'], {
      certificates: { trustBundles: [{ name: 'td', file: file(`${trustDomain}.pem`, bundle), trustDomain }], ...more },
    });

  it('verify the chain anew, and refuse at once what is revoked', async () => {
    const revocations = join(world.directory, 'td.crl');
    writeFileSync(revocations, authority.crl());
    const trusting = await world.service(
      verified(authority.pem, 'td.test', { crl: { required: true, sources: [{ name: 'td', file: revocations }] } }),
    );
    const envoy = await world.envoy([trusting], { front, includePeerCertificate: true });
    expect((await pay(envoy, ofA)).status).toBe(200);
    writeFileSync(`${revocations}.new`, authority.crl({ revoked: [ofA.serial], thisUpdateDays: -0.5 }));
    renameSync(`${revocations}.new`, revocations);
    world.upstream.clear();
    await vi.waitFor(async () => expect((await pay(envoy, ofA)).status).toBe(401), { timeout: 10_000, interval: 200 });
    const refused = await pay(envoy, ofA);
    expect(refused.body).toContain('identity.certificate_revoked');
  });

  it.each([
    ['of another CA with the same name', () => verified(createAuthority().pem, 'td.test')],
    ['of another trust domain', () => verified(authority.pem, 'other.test')],
  ])('[asks 41] %s: Envoy is content, and the request is refused, by ext_authz and by XFCC', async (_, config) => {
    const distrusting = await world.service(config());
    for (const options of [{ includePeerCertificate: true }, { forwardClientCertificate: 'SANITIZE_SET' }] as const) {
      const envoy = await world.envoy([distrusting], { front, ...options });
      const answer = await pay(envoy, ofA);
      expect(answer.status).toBe(401);
      expect(answer.body).toContain('identity.certificate_untrusted');
    }
    expect(world.upstream.begun).toBe(0);
  });
});

describe('TLS between Envoy and the service', () => {
  it('works with client certificates on both sides, and knows the gateway by its own', async () => {
    const gateway = authority.client({ commonName: 'edge', uris: ['spiffe://td.test/gateway/edge'] });
    const secured = await world.service({
      ...settings([]),
      grpc: { tls: { certFile: front.certFile, keyFile: front.keyFile, clientCaFile: front.caFile } },
      peps: [
        {
          name: 'edge',
          certificate: { uri: 'spiffe://td.test/gateway/edge' },
          trusts: ['client_address', 'client_certificate'],
          forwardedFor: { appendsPeer: true },
        },
      ],
    });
    const known = { certFile: file('gw.pem', gateway.pem), keyFile: file('gw-key.pem', gateway.keyPem), caFile: front.caFile };
    const envoy = await world.envoy([secured], { front, includePeerCertificate: true, authzTls: known, healthCheck: true });
    expect((await pay(envoy, ofA)).status).toBe(200);
    const stranger = { certFile: file('b.pem', ofB.pem), keyFile: file('b-key.pem', ofB.keyPem), caFile: front.caFile };
    const foreign = await world.envoy([secured], { front, includePeerCertificate: true, authzTls: stranger, failureModeAllow: true });
    world.upstream.clear();
    const refused = await pay(foreign, ofA);
    expect(refused.status).toBe(403);
    expect(refused.headers['x-countersign-error']).toBe('pep_unauthenticated');
    expect(world.upstream.begun).toBe(0);
  });
});

function settings(trusts: readonly string[], more: Record<string, unknown> = {}): Record<string, unknown> {
  const identity = world.config()['identity'];
  return {
    peps: [{ name: 'edge', anonymous: true, trusts, forwardedFor: { appendsPeer: true } }],
    identity: {
      ...(typeof identity === 'object' ? identity : {}),
      clients: [
        { id: 'agent-a', spiffeIds: [SPIFFE_A] },
        { id: 'agent-b', spiffeIds: [SPIFFE_B] },
      ],
      ...more,
    },
  };
}

function file(name: string, text: string): string {
  const path = join(world.directory, name);
  writeFileSync(path, text);
  return path;
}

function pay(envoy: Envoy, certificate: MadeCertificate, headers: readonly string[] = []): Promise<Received> {
  return send(envoy.port, {
    method: 'POST',
    path: '/payments',
    headers: [...headers, 'authorization', payer],
    tls: { ca: authority.pem, cert: certificate.pem, key: certificate.keyPem },
  });
}
