import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { type Received, send } from '../support/http-client.ts';
import { contentDigest, createMessageKey, type MessageKey, type SignedLines, signedFields } from '../support/http-signatures.ts';
import { copyPolicies } from '../support/policy-directory.ts';
import { createWorld, jsonObject, type World } from './world.ts';

/* Signed requests through a real Envoy, the keys of a bot from a real directory over TLS. */

const RISK = { allowed: 100, allowed_bound: 100 };
const TIERS = {
  low: { assurance: 0, signals: [], risk: RISK },
  medium: { assurance: 2, signals: ['token'], signed: true, risk: RISK },
  high: { assurance: 3, signals: ['token'], risk: RISK },
  critical: { assurance: 4, signals: ['token'], risk: RISK },
};

let world: World;
let service: Countersign;
let envoy: Envoy;
let partner: MessageKey;
let bot: MessageKey;
let directory: Server;
let agent = '';
let fetched = 0;
let folder = '';

beforeAll(async () => {
  world = await createWorld();
  folder = mkdtempSync(join(world.directory, 'signatures-'));
  partner = await createMessageKey('ecdsa-p256-sha256');
  bot = await createMessageKey();
  const authority = createAuthority();
  const certificate = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  directory = createServer({ key: certificate.keyPem, cert: certificate.pem }, (request, response) => {
    fetched++;
    const found = request.url === '/.well-known/http-message-signatures-directory';
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/http-message-signatures-directory+json' });
    response.end(JSON.stringify({ keys: [bot.jwk] }));
  });
  await new Promise<void>((resolve) => directory.listen(0, '127.0.0.1', resolve));
  agent = `https://localhost:${(directory.address() as AddressInfo).port}`;
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [{ ...partner.jwk, kid: 'partner-1' }] }));
  writeFileSync(join(folder, 'ca.pem'), authority.pem);
  copyPolicies(join(folder, 'policies'), { limits: { tiers: TIERS, signatures: { refuse_on_public: true } } });
  const signatures = {
    profiles: [{ name: 'partner', jwksFile: join(folder, 'jwks.json'), clientId: 'agent-a', contentDigest: true }],
    webBotAuth: { agents: 'any', directory: { allowLoopback: true, waitMs: 2000 } },
    clockSkewSeconds: 0,
  };
  const identity = { ...Object(world.config()['identity']), signatures };
  const config = world.config({ identity, policy: { bundle: join(folder, 'policies') }, decisions: { deadlineMs: 3000 } });
  service = await startCountersign({ config, env: { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') } });
  envoy = await world.envoy([service], { encodeRawHeaders: true, requestBody: { bytesMax: 4096, allowPartial: false }, timeoutMs: 5000 });
  // a nonce of the second in which the process began could have been used before: it is refused
  await sleep(1100);
});
afterAll(async () => {
  await service.stop();
  directory.close();
  rmSync(folder, { recursive: true, force: true });
  await world.stop();
});

const now = () => Math.floor(Date.now() / 1000);
const authorityOf = (to: Envoy) => `127.0.0.1:${to.port}`;

const sent: string[] = [];

function signedByPartner(
  path: string,
  { method = 'GET', more = '', lines = [], to = envoy }: { method?: string; more?: string; lines?: SignedLines; to?: Envoy } = {},
): string[] {
  const base: SignedLines = [['"@method"', method], ['"@target-uri"', `http://${authorityOf(to)}${path}`], ...lines];
  const { input, signature } = signedFields(partner, base, `;created=${now()};keyid="partner-1"${more}`);
  sent.push(signature.slice(6, 50));
  return ['signature-input', input, 'signature', signature];
}

function signedByBot(named = agent, key = bot): string[] {
  const lines: SignedLines = [
    ['"@authority"', authorityOf(envoy)],
    ['"signature-agent";key="sig1"', `"${named}"`],
  ];
  const times = `;created=${now()};expires=${now() + 60}`;
  const { input, signature } = signedFields(key, lines, `${times};keyid="${key.thumbprint}";tag="web-bot-auth"`);
  sent.push(signature.slice(6, 50));
  return ['signature-agent', `sig1="${named}"`, 'signature-input', input, 'signature', signature];
}

const reasons = (answer: Received): unknown => jsonObject(answer.body)['reasons'];
const upstream = (name: string) => world.upstream.requests.at(-1)?.headers[name];

describe('a client that signs beside its token', () => {
  it('passes, and both together count for more than the token', async () => {
    const headers = ['authorization', await world.bearer('agent-a', 'orders:read'), ...signedByPartner('/orders/42?page=1')];
    const answer = await send(envoy.port, { path: '/orders/42?page=1', headers });
    expect([answer.status, upstream('x-countersign-assurance'), upstream('x-countersign-client-id')]).toEqual([200, '3', 'agent-a']);
  });

  it('without a signature is refused, and told what would be accepted', async () => {
    const answer = await send(envoy.port, { path: '/orders/42', headers: ['authorization', await world.bearer('agent-a', 'orders:read')] });
    expect(answer.status).toBe(403);
    expect(reasons(answer)).toEqual([{ code: 'identity.signature_required', title: 'The route needs a signed request' }]);
    expect(answer.headers['accept-signature']).toBe(
      'partner=("@method" "@target-uri" "content-digest");created;keyid, web_bot_auth=("@authority" "signature-agent");created;expires;keyid;tag="web-bot-auth"',
    );
  });

  it('for another target is refused', async () => {
    const headers = ['authorization', await world.bearer('agent-a', 'orders:read'), ...signedByPartner('/orders/42')];
    const answer = await send(envoy.port, { path: '/orders/43', headers });
    expect([answer.status, reasons(answer)]).toEqual([
      403,
      [{ code: 'identity.signature_invalid', title: 'The message signature is not valid' }],
    ]);
  });

  it('with the token of another client is a conflict', async () => {
    const headers = ['authorization', await world.bearer('agent-b', 'orders:read'), ...signedByPartner('/orders/42')];
    const answer = await send(envoy.port, { path: '/orders/42', headers });
    expect([answer.status, JSON.stringify(reasons(answer))]).toEqual([403, expect.stringContaining('identity.client_conflict')]);
  });

  it('with a nonce passes once', async () => {
    const headers = [
      'authorization',
      await world.bearer('agent-a', 'orders:read'),
      ...signedByPartner('/orders/42', { more: ';nonce="n-1"' }),
    ];
    expect((await send(envoy.port, { path: '/orders/42', headers })).status).toBe(200);
    const again = await send(envoy.port, { path: '/orders/42', headers });
    expect([again.status, JSON.stringify(reasons(again))]).toEqual([403, expect.stringContaining('identity.signature_replayed')]);
  });

  it('covers lines that Envoy hands on as they came, and the token itself', async () => {
    const bearer = await world.bearer('agent-a', 'orders:read');
    const lines: SignedLines = [
      ['"x-part"', 'one, two'],
      ['"authorization"', bearer],
    ];
    const signed = signedByPartner('/orders/42', { lines });
    const headers = ['authorization', bearer, 'x-part', 'one', 'x-part', 'two', ...signed];
    expect((await send(envoy.port, { path: '/orders/42', headers })).status).toBe(200);
    const swapped = ['authorization', bearer, 'x-part', 'two', 'x-part', 'one', ...signed];
    expect((await send(envoy.port, { path: '/orders/42', headers: swapped })).status).toBe(403);
  });

  it('does not cover lines that Envoy joins in another way than the RFC', async () => {
    const joining = await world.envoy([service], { timeoutMs: 5000 });
    const bearer = await world.bearer('agent-a', 'orders:read');
    const ask = (lines: SignedLines, parts: string[]) => {
      const signed = signedByPartner('/orders/42', { lines, to: joining });
      return send(joining.port, { path: '/orders/42', headers: ['authorization', bearer, ...parts, ...signed] });
    };
    expect((await ask([['"x-part"', 'one, two']], ['x-part', 'one', 'x-part', 'two'])).status).toBe(403);
    expect((await ask([['"x-part"', 'one,two']], ['x-part', 'one', 'x-part', 'two'])).status).toBe(200);
    expect((await ask([['"x-part"', 'one, two']], ['x-part', 'one, two'])).status).toBe(200);
  });

  it('covers the body by its digest', async () => {
    const body = '{"amount":1}';
    const digest = contentDigest(body);
    const bearer = await world.bearer('agent-a', 'orders:write');
    const signed = signedByPartner('/orders', { method: 'POST', lines: [['"content-digest"', digest]] });
    const headers = ['authorization', bearer, 'content-type', 'application/json', 'content-digest', digest, ...signed];
    const post = { method: 'POST', path: '/orders', headers };
    expect((await send(envoy.port, { ...post, body })).status).toBe(200);
    expect((await send(envoy.port, { ...post, body: '{"amount":9}' })).status).toBe(403);
    const uncovered = ['authorization', bearer, 'content-type', 'application/json', ...signedByPartner('/orders', { method: 'POST' })];
    expect((await send(envoy.port, { ...post, headers: uncovered, body })).status).toBe(403);
  });
});

describe('a web bot', () => {
  it('is known upstream by its agent; its directory is fetched once', async () => {
    for (let round = 0; round < 3; round++) {
      const answer = await send(envoy.port, { path: '/catalogue', headers: signedByBot() });
      expect([answer.status, upstream('x-countersign-subject')]).toEqual([200, agent]);
    }
    expect(fetched).toBe(1);
  });

  it('that is another one is refused', async () => {
    const stranger = await createMessageKey();
    const answers = [
      await send(envoy.port, { path: '/catalogue', headers: signedByBot(agent, stranger) }),
      await send(envoy.port, { path: '/catalogue', headers: signedByBot('https://169.254.169.254') }),
      await send(envoy.port, {
        path: '/catalogue',
        headers: [...signedByBot().slice(0, 1), 'sig1="https://evil.example"', ...signedByBot().slice(2)],
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    for (const { headers } of answers) expect(headers['accept-signature']).toContain('web_bot_auth=("@authority" "signature-agent")');
  });

  it('is seen by POST /decide as by Envoy', async () => {
    const headers = Object.fromEntries(pairs(signedByBot()));
    const request = { method: 'GET', scheme: 'http', host: authorityOf(envoy), path: '/catalogue', headers };
    const response = await fetch(`http://127.0.0.1:${service.httpPort}/decide?explain=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ request }),
    });
    expect(await response.json()).toMatchObject({
      decision: 'allow',
      signals: { signature: { status: 'present', value: { profile: 'web_bot_auth', agent, key_id: bot.thumbprint, nonce: false } } },
    });
  });

  it('leaves no signature in the log, and shows in metrics and status', async () => {
    expect(sent.length).toBeGreaterThan(10);
    for (const part of sent) expect(service.output()).not.toContain(part);
    const metrics = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
    expect(metrics).toMatch(/countersign_signal_states_total\{signal="signature",status="present"\} [1-9]/);
    expect(metrics).toContain('countersign_key_set_state{issuer="partner",state="ready"} 1');
    expect(metrics).toMatch(/countersign_cache_misses_total\{cache="key_directory"\} [1-9]/);
  });
});

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] satisfies [string, string]] : []));
}
