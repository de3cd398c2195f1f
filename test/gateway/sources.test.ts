import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { OPA_BIN } from '../decide/fixtures.ts';
import { createSigningKey, makeToken } from '../identify/fixtures.ts';
import { type AttributeServer, hang, startAttributeServer, status } from '../support/attribute-server.ts';
import { createAuthority } from '../support/certificates.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import { copyPolicies } from '../support/policy-directory.ts';

/* The real process before a service with attributes by TLS, asked where a policy collects it, and one that is asked for each request. */

const AUDIENCE = 'https://api.example';
const ISSUER = 'https://as.example';
const OPERATOR = 'operator-token-of-the-test';
const SECRET = 'canary-of-the-source';
const directory = mkdtempSync(join(tmpdir(), 'countersign-sources-'));
const signer = await createSigningKey('k1');
const authority = createAuthority();
const certificate = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });

/** Collects the tier of the client; gold passes, and so does whoever is on the open route. */
const RULE = `# METADATA
# title: The client has no account that is good
package countersign.rules.account.required

verdict := {"effect": "deny", "status": 503, "collect": ["sources.account"]} if {
	input.route.id == "orders_read"
	input.sources.account.status == "absent"
	input.sources.account.code == "not_collected"
} else := {"effect": "deny", "status": 503, "code": input.sources.account.code} if {
	input.route.id == "orders_read"
	input.sources.account.status == "unavailable"
} else := {"effect": "deny", "status": 403, "code": input.sources.account.code} if {
	input.route.id == "orders_read"
	input.sources.account.status != "present"
} else := {"effect": "deny", "status": 403} if {
	input.route.id == "orders_read"
	input.sources.account.value.attributes.tier != "gold"
} else := "clear" if {
	input.route.id == "orders_read"
	input.sources.account.value.attributes.tier == "gold"
} else := "clear" if {
	input.route.id != "orders_read"
}
`;
const REPUTATION = `# METADATA
# title: The address has a bad reputation
package countersign.rules.account.reputation

verdict := {"effect": "deny", "status": 403} if {
	input.sources.reputation.value.attributes.score > 50
} else := "clear" if {
	input.sources.reputation.value.attributes.score <= 50
} else := "clear" if {
	input.sources.reputation.status != "present"
}
`;
const UNKNOWN = `package countersign.rules.account.unknown

verdict := {"effect": "clear", "collect": ["sources.nobody"]} if {
	input.context.unknown
} else := "clear" if {
	not input.context.unknown
}
`;

let account: AttributeServer;
let reputation: AttributeServer;
let service: Countersign;

beforeAll(async () => {
  account = await startAttributeServer({ key: certificate.keyPem, cert: certificate.pem });
  reputation = await startAttributeServer();
  const policies = join(directory, 'policies');
  const scopes = ['orders:read'];
  const tier = { assurance: 2, signals: ['token'], risk: { allowed: 100, allowed_bound: 100 } };
  copyPolicies(policies, {
    routes: {
      orders_read: { methods: ['GET'], path: '/orders/{id}', tier: 'medium', scopes },
      other: { methods: ['GET'], path: '/other', tier: 'medium', scopes },
    },
    limits: { tiers: { low: tier, medium: tier, high: tier, critical: tier }, rate: { client: {}, address: {}, token: {}, route: {} } },
  });
  const rules = join(policies, 'countersign', 'rules', 'account');
  mkdirSync(rules, { recursive: true });
  for (const [name, text] of Object.entries({ required: RULE, reputation: REPUTATION, unknown: UNKNOWN }))
    writeFileSync(join(rules, `${name}.rego`), text);
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  service = await startCountersign({
    config: {
      peps: [{ name: 'edge', anonymous: true, trusts: ['client_address', 'forwarded', 'explain'] }],
      operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update(OPERATOR).digest('hex') }] },
      identity: {
        issuers: [{ issuer: ISSUER, audiences: [AUDIENCE], jwksFile: file('jwks.json', JSON.stringify({ keys: [signer.jwk] })) }],
      },
      policy: { bundle: policies, opaBin: OPA_BIN },
      decisions: { deadlineMs: 1000, log: { sink: 'stdout', input: 'full' } },
      sources: [
        {
          name: 'account',
          url: `https://localhost:${account.port}/clients/{subject.client}?route={route.id}`,
          method: 'POST',
          headers: [{ name: 'authorization', prefix: 'Bearer ', valueFile: file('secret', `${SECRET}\n`) }],
          body: { client: '{subject.client}', from: ['{token.issuer}'], version: 1 },
          attributes: { tier: { pointer: '/data/tier' } },
          notFound: 'absent',
          cacheSeconds: 0,
          negativeCacheSeconds: 0,
          timeoutMs: 300,
          breaker: { failuresMax: 3, openMs: 100 },
          allowPrivate: ['localhost'],
          caFile: file('ca.pem', authority.pem),
        },
        {
          name: 'reputation',
          url: `${reputation.origin}/addresses/{network.address}`,
          when: 'prefetch',
          attributes: { score: { pointer: '/score', type: 'number' } },
          allowPrivate: ['127.0.0.1'],
        },
      ],
    },
  });
});
afterAll(async () => {
  await service.stop();
  await account.stop();
  await reputation.stop();
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  account.asked.length = 0;
  account.answer = () => ({ data: { tier: 'gold' } });
  reputation.answer = () => ({ score: 1 });
});

type Options = { readonly path?: string; readonly ip?: string; readonly context?: JsonObject; readonly client?: string };

async function ask({ path = '/orders/42', ip = '203.0.113.7', context = {}, client = 'agent 1' }: Options = {}): Promise<JsonObject> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    client_id: client,
    scope: 'orders:read',
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 300,
  };
  const token = await makeToken(signer, claims);
  const request = { method: 'GET', scheme: 'https', host: 'api.example', path, headers: { authorization: `Bearer ${token}` } };
  const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide?explain=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request, source: { ip }, context }),
  });
  const body: unknown = await answer.json();
  if (!isJsonObject(body)) throw new Error('no decision');
  return body;
}

const codes = ({ reasons }: JsonObject): unknown =>
  Array.isArray(reasons) ? reasons.map((one) => (isJsonObject(one) ? one['code'] : null)) : null;

describe('a source that a policy collects', () => {
  it('is asked by TLS with what was verified and its own credential, and decides', async () => {
    expect(await ask()).toMatchObject({
      decision: 'allow',
      signals: {
        token: { status: 'present' },
        sources: { account: { value: { attributes: { tier: 'gold' } } }, reputation: { status: 'present' } },
      },
    });
    expect(account.asked).toEqual([
      {
        method: 'POST',
        url: '/clients/agent%201?route=orders_read',
        headers: expect.objectContaining({ authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' }),
        body: JSON.stringify({ client: 'agent 1', from: [ISSUER], version: 1 }),
      },
    ]);
    account.answer = () => ({ data: { tier: 'tin' } });
    const denied = await ask();
    expect(denied).toMatchObject({ decision: 'deny', response: { status: 403 } });
    expect(codes(denied)).toEqual(['account.required']);
  });

  it('is not asked where the policy does not want it', async () => {
    expect(await ask({ path: '/other' })).toMatchObject({ decision: 'allow' });
    expect(account.asked).toEqual([]);
  });

  it.each([
    ['says 500', status(500), 503],
    ['sends elsewhere', status(302, '{}', { location: 'https://localhost/' }), 503],
    ['says nothing', hang, 503],
    ['knows nobody of that name', status(404), 403],
    ['says something else', status(200, '{"data":{}}'), 403],
  ])('denies where it %s', async (_what, answer, expected) => {
    account.answer = () => answer;
    const denied = await ask();
    expect(denied).toMatchObject({ decision: 'deny', response: { status: expected } });
    expect(codes(denied)).toEqual(['account.required']);
    expect(denied['error'] ?? null).toBeNull();
    account.answer = () => ({ data: { tier: 'gold' } });
    expect(await ask()).toMatchObject({ decision: 'allow' });
  });

  it('a name that would leave its segment is never asked about', async () => {
    expect(await ask({ client: '..' })).toMatchObject({ decision: 'deny', response: { status: 403 } });
    expect(await ask({ client: '../admin' })).toMatchObject({ decision: 'deny', response: { status: 403 } });
    expect(account.asked).toEqual([]);
  });

  it('one that is not configured is a failure', async () => {
    expect(await ask({ path: '/other', context: { unknown: true } })).toMatchObject({
      decision: 'deny',
      error: { code: 'policy_collect_unknown' },
    });
  });
});

describe('a source that is prefetched', () => {
  it('is asked once an address, and decides', async () => {
    reputation.asked.length = 0;
    reputation.answer = ({ url }) => ({ score: url.endsWith('.66') ? 99 : 1 });
    expect(await ask({ ip: '203.0.113.66', path: '/other' })).toMatchObject({ decision: 'deny', response: { status: 403 } });
    expect(await ask({ ip: '203.0.113.67', path: '/other' })).toMatchObject({ decision: 'allow' });
    expect(await ask({ ip: '203.0.113.66', path: '/other' })).toMatchObject({ decision: 'deny' });
    expect(reputation.asked.map(({ url }) => url)).toEqual(['/addresses/203.0.113.66', '/addresses/203.0.113.67']);
  });
});

describe('what operators see', () => {
  it('is in /status, /metrics and the decision log, and the credential is nowhere', async () => {
    await ask({ ip: '203.0.113.90' });
    const operations = `http://127.0.0.1:${service.operationsPort}`;
    const answer = await fetch(`${operations}/status`, { headers: { authorization: `Bearer ${OPERATOR}` } });
    const shown = await answer.text();
    expect(JSON.parse(shown)).toMatchObject({
      enrich: {
        sources: [
          { name: 'account', when: 'collect', state: 'ready', in_flight: 0, last_error: null },
          { name: 'reputation', entries: 4 },
        ],
      },
    });
    const metrics = await (await fetch(`${operations}/metrics`)).text();
    expect(metrics).toMatch(/countersign_source_answers_total\{source="account",result="present"\} [1-9]/);
    expect(metrics).toContain('countersign_source_state{source="reputation",state="ready"} 1');
    const log = service.output();
    expect(log).toContain('"sources.account":{"status":"present"}');
    expect(log).toContain('"sources":{"account":{"status":"present","value":{"attributes":{"tier":"gold"}');
    expect(log).toContain('"source_failed"');
    for (const text of [shown, metrics, log]) expect(text).not.toContain(SECRET);
  });
});
