import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAdminClient, OPERATORS } from './support/admin-client.ts';
import { type AdminFolder, createAdminFolder, linesOf, revisedBundle } from './support/admin-service.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from './support/countersign.ts';
import { createProofKey, makeProof, type ProofKeyPair } from './support/dpop.ts';

const ISSUER = 'https://as.example';
let folder: AdminFolder;
let service: Countersign;
let admin: ReturnType<typeof createAdminClient>;
let proofKey: ProofKeyPair;
let token: string;

const rule = (name: string, text: string) => `# METADATA
# title: ${name}
# custom:
#   remedy: Mend ${name}.
package countersign.rules.custom.${name}

${text}
`;

beforeAll(async () => {
  folder = await createAdminFolder();
  const broken = join(folder.path, 'broken');
  cpSync(join(PROJECT_ROOT, 'policies'), broken, { recursive: true });
  mkdirSync(join(broken, 'countersign/rules/custom'));
  // a builtin that gets a text where it wants a number in a text
  writeFileSync(
    join(broken, 'countersign/rules/custom/mistyped.rego'),
    rule('mistyped', 'verdict := "clear" if to_number(input.request.method) >= data.countersign.limits.signals.retry_after_seconds'),
  );
  writeFileSync(
    join(broken, 'countersign/rules/custom/unnoticed.rego'),
    rule('unnoticed', 'verdict := "clear" if input.signals.token.value.claims.plan == "gold"'),
  );
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwks = join(folder.path, 'jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }] }));
  proofKey = await createProofKey();
  token = await new SignJWT({ client_id: 'robot', scope: 'orders:read', cnf: { jkt: proofKey.jkt } })
    .setProtectedHeader({ alg: 'RS256', kid: 'k', typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience('api://orders')
    .setSubject('robot')
    .setIssuedAt()
    .setJti('t1')
    .setExpirationTime('5m')
    .sign(privateKey);
  service = await startCountersign({
    config: {
      operations: { tokens: OPERATORS },
      state: { directory: join(folder.path, 'state') },
      policy: { bundle: folder.bundle },
      policies: { broken: { bundle: broken } },
      peps: [
        { name: 'local', anonymous: true, trusts: ['client_address', 'explain', 'forwarded'], policies: ['default', 'broken'] },
        { name: 'edge', tokenSha256: 'a'.repeat(64), trusts: ['client_address'] },
      ],
      identity: {
        // proofs of before the start are refused, and this service has just started
        dpop: { clockSkewSeconds: 0 },
        issuers: [{ issuer: ISSUER, audiences: ['api://orders'], algorithms: ['RS256'], jwksFile: jwks }],
      },
      drain: { noticeMs: 0, boundMs: 1000 },
    },
  });
  admin = createAdminClient(service.operationsPort);
  await new Promise((resolve) => setTimeout(resolve, 1000));
});
afterAll(async () => {
  await service.stop();
  folder.remove();
});

type Json = Record<string, unknown>;
const question = (more: Json = {}, headers: Json = {}): Json => ({
  request: { id: 'r1', method: 'GET', scheme: 'https', host: 'api.example.com', path: '/orders/42', headers },
  source: { ip: '192.0.2.1' },
  ...more,
});

let asked = 0;
async function decide(body: Json, query = ''): Promise<Json> {
  asked += 1;
  const url = `http://127.0.0.1:${service.httpPort}/decide${query}`;
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return JSON.parse(await answer.text());
}

const simulate = (body: Json, query = 'pep=local', role: 'viewer' | 'operator' = 'operator') =>
  admin(`simulate?${query}`, { method: 'POST', role, body });
const proven = async (jti: string) => ({
  authorization: `DPoP ${token}`,
  dpop: await makeProof(proofKey, { htu: 'https://api.example.com/orders/42', token, jti }),
});
const explained = (answer: Json): Json => Object(answer['explanation']);
const found = (list: unknown, code: string): Json => Object((Array.isArray(list) ? list : []).find((one) => one.code === code));

describe('a decision that was made', () => {
  test('is explained: what spoke, by which values and thresholds, what was clear, and what would lift it', async () => {
    const decision = await decide(question());
    expect(decision).not.toHaveProperty('explanation');
    const { status, json } = await admin(`decisions/${decision['decision_id']}`, { role: 'viewer' });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      decision_id: decision['decision_id'],
      decision: 'deny',
      reasons: decision['reasons'],
      pep: 'local',
      endpoint: 'decide',
      request_id: 'r1',
      request: { method: 'GET', host: 'api.example.com', path: '/orders/42' },
    });
    const { policy, spoke, undecided, clear, lifted_by: lifted } = explained(json);
    expect(policy).toEqual({
      name: 'default',
      revision: Object(decision['policy']).revision,
      bundle: expect.any(String),
      data_revision: null,
    });
    expect(found(spoke, 'identity.token_required')).toMatchObject({
      effect: 'deny',
      counted: true,
      input: { 'input.signals.token.status': 'absent' },
      remedy: expect.stringContaining('access token'),
    });
    expect(undecided).toEqual([]);
    expect(clear).toContain('network.address_blocked');
    expect(lifted).toContainEqual({ code: 'identity.token_required', remedy: expect.any(String) });
    expect(json['verdicts']).toContainEqual({ code: 'network.address_blocked', effect: 'clear' });
  });

  test('has the same form by ?explain=true and by a simulation', async () => {
    const [asked, { json: simulated }] = [await decide(question(), '?explain=true'), await simulate(question())];
    const { json: kept } = await admin(`decisions/${asked['decision_id']}`);
    expect(explained(kept)).toEqual(explained(asked));
    expect(Object.keys(explained(simulated))).toEqual(Object.keys(explained(asked)));
    expect(explained(simulated)['clear']).toEqual(explained(asked)['clear']);
  });

  test('keeps its thresholds and its revision when both have changed', async () => {
    const path = 'data/countersign/limits/signals';
    const before = await decide(question());
    await admin(path, { method: 'PUT', body: { retry_after_seconds: 9 } });
    const after = await decide(question());
    const [old, fresh] = [await admin(`decisions/${before['decision_id']}`), await admin(`decisions/${after['decision_id']}`)];
    expect(explained(old.json)['policy']).toMatchObject({ data_revision: null });
    expect(explained(fresh.json)['policy']).toMatchObject({ data_revision: 1, revision: expect.stringContaining('+d1') });
    await admin(path, { method: 'DELETE' });
  });

  test('shows no credential, and an unknown one is a 404', async () => {
    const headers = await proven('shown');
    const decision = await decide(question({}, headers));
    const answer = await admin(`decisions/${decision['decision_id']}`);
    const text = JSON.stringify(answer.json);
    expect(text).toContain('orders:read');
    expect(text).not.toContain(token);
    expect(text).not.toContain(headers.dpop);
    expect(await admin('decisions/01978a3c-0000-7000-8000-000000000001')).toMatchObject({
      status: 404,
      json: { code: 'decision_not_kept' },
    });
  });
});

describe('a rule that says nothing', () => {
  test('is named with what is missing, with its place, in the answer, the counter and the log (USER-ASKS 57, 66)', async () => {
    const decision = await decide(question({ policy: 'broken' }));
    const { reasons } = decision;
    expect(found(reasons, 'custom.unnoticed')).toMatchObject({
      effect: 'undecided',
      details: {
        cause: 'input_undefined',
        missing: ['input.signals.token.value.claims.plan'],
        at: 'countersign/rules/custom/unnoticed.rego:7',
      },
    });
    expect(found(reasons, 'custom.mistyped')).toMatchObject({
      details: {
        cause: 'evaluation_error',
        types: { 'input.request.method': 'string' },
        at: 'countersign/rules/custom/mistyped.rego:7',
      },
    });
    expect(found(reasons, 'input_undefined')).toMatchObject({ effect: 'undecided', details: { rules: ['custom.unnoticed'] } });
    const { json } = await admin(`decisions/${decision['decision_id']}`);
    expect(found(explained(json)['undecided'], 'custom.unnoticed')).toMatchObject({
      missing: ['input.signals.token.value.claims.plan'],
      remedy: 'Mend unnoticed.',
    });
    expect(found(explained(json)['undecided'], 'custom.mistyped')).toMatchObject({
      missing: [],
      input: { 'input.request.method': 'GET' },
      thresholds: { 'data.countersign.limits.signals.retry_after_seconds': 5 },
    });
    await vi.waitFor(() => expect(linesOf(service, 'rule_undecided')).toHaveLength(2), 5000);
    expect(linesOf(service, 'rule_undecided')).toContainEqual(
      expect.objectContaining({
        policy: 'broken',
        rule: 'custom.mistyped',
        at: 'countersign/rules/custom/mistyped.rego:7',
        cause: 'evaluation_error',
      }),
    );
    expect(await metrics()).toContain(
      'countersign_rules_undecided_total{policy="broken",rule="custom.mistyped",cause="evaluation_error"} 1',
    );
  });
});

async function metrics(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
}

/** Every series of ours that questions move, and no gauge of time or memory. */
async function counted(): Promise<string[]> {
  const lines = (await metrics()).split('\n');
  return lines.filter((line) => /^countersign_/.test(line) && !/_age_seconds|uptime|build_info|latency/.test(line));
}

async function remembered(): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${service.operationsPort}/status`, { headers: { authorization: 'Bearer viewer-token' } });
  const { enrich, identify, record } = JSON.parse(await answer.text());
  return { store: enrich.store, remembered: enrich.remembered, replays: identify.replays, caches: identify.token_cache, record };
}

const rateOf = (answer: Json): Json => Object(Object(Object(answer['signals'])['rate'])['value']);

describe('a simulation', () => {
  test('changes nothing: counters, memories, used proofs, log and metrics', async () => {
    await decide(question({}, await proven('before')));
    const lines = () =>
      service
        .output()
        .split('\n')
        .filter((line) => line.includes('"kind":"decision"')).length;
    await vi.waitFor(() => expect(lines()).toBe(asked), 5000);
    const before = { counted: await counted(), remembered: await remembered(), lines: lines() };
    const headers = await proven('once');
    for (let time = 0; time < 20; time += 1) {
      const bodies = [
        question({}, headers),
        question(),
        question({ source: { ip: `198.51.100.${time}` } }),
        question({ policy: 'broken' }),
      ];
      for (const body of bodies) expect((await simulate(body)).status).toBe(200);
    }
    expect({ counted: await counted(), remembered: await remembered(), lines: lines() }).toEqual(before);

    // the proof was not used up, and the counters are where they were
    const asIf = (await simulate(question({}, headers))).json;
    const real = await decide(question({}, headers), '?explain=true');
    expect(Object(Object(Object(real['signals'])['binding']))).toMatchObject({ status: 'present' });
    expect(rateOf(asIf)).toEqual(rateOf(real));
    expect(asIf['decision']).toBe(real['decision']);
    // and a used one is used in a simulation too
    const replayed = (await simulate(question({}, headers))).json;
    expect(Object(Object(replayed['signals'])['binding'])).toMatchObject({ status: 'invalid' });
  });

  test('sees what is remembered, as the next request would', async () => {
    for (let time = 0; time < 3; time += 1) await decide(question({ source: { ip: '203.0.113.200' } }));
    const one = (await simulate(question({ source: { ip: '203.0.113.200' } }))).json;
    const two = (await simulate(question({ source: { ip: '203.0.113.200' } }))).json;
    expect(Object(rateOf(one)['address'])['10s']).toBe(4);
    expect(rateOf(two)).toEqual(rateOf(one));
  });

  test('is of the named gateway, for operators, and refused where it names none', async () => {
    expect((await simulate(question(), 'pep=edge')).json).toMatchObject({ simulated: true, pep: 'edge', explanation: {} });
    expect(await simulate(question({ policy: 'broken' }), 'pep=edge')).toMatchObject({ status: 403, json: { code: 'policy_not_allowed' } });
    expect(await simulate(question(), 'pep=nobody')).toMatchObject({ status: 400, json: { code: 'request_invalid', field: 'pep' } });
    expect(await simulate(question(), '')).toMatchObject({ status: 400, json: { field: 'pep' } });
    expect(await simulate(question(), 'pep=local&pep=edge')).toMatchObject({ status: 400 });
    expect(await simulate(question({ request: 1 }))).toMatchObject({ status: 400, json: { code: 'request_invalid' } });
    expect(await simulate(question(), 'pep=local', 'viewer')).toMatchObject({ status: 403, json: { code: 'operator_not_allowed' } });
  });

  test('can be of one of the last five revisions, which stays what it is', async () => {
    const before = Object((await decide(question()))['policy']).revision;
    const next = await revisedBundle('r2', (text) => text.replaceAll('An access token is required', 'Bring a token'));
    expect((await admin('policies/default', { method: 'PUT', type: 'application/gzip', body: next })).status).toBe(200);
    const titleOf = (answer: Json) => found(answer['reasons'], 'identity.token_required')['title'];
    expect(titleOf((await simulate(question())).json)).toBe('Bring a token');
    const old = (await simulate(question(), `pep=local&revision=${before}`)).json;
    expect(titleOf(old)).toBe('An access token is required');
    expect(old['policy']).toEqual({ name: 'default', revision: before });
    expect(titleOf(await decide(question()))).toBe('Bring a token');
    expect(await simulate(question(), 'pep=local&revision=none')).toMatchObject({ status: 404, json: { code: 'revision_unknown' } });
  });
});
