import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createAdminClient, OPERATORS } from './support/admin-client.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from './support/countersign.ts';

/* What operators see of decisions whose policy sets credentials for the upstream; the policy is the candidate of a canary that has everybody. */

const SECRET = 'canary-secret';
const ASKED = 'asked-by-the-client';
const PEP_TOKEN = 'watched-token';

let directory: string;
let service: Countersign;
let admin: ReturnType<typeof createAdminClient>;

const said = (effect: string) => `{
	"effect": "${effect}",
	"upstream_headers": {"x-backend": "${SECRET}"},
	"response_headers": {"x-answered": "${SECRET}"},
	"asked": input.request.query,
	"note": sprintf("asked for %v", [input.request.query]),
	"obligations": [{"id": "log", "asked": input.request.query}],
}`;

const rule = (name: string, path: string, effect: string) => `# METADATA
# title: ${name}
package countersign.rules.custom.${name}

verdict := ${said(effect)} if {
	input.request.path == "${path}"
} else := "clear" if {
	is_string(input.request.path)
}
`;

/** The base pack with public routes, and rules that set headers. */
function bundleOf(name: string, rules: Readonly<Record<string, string>>): string {
  const bundle = join(directory, name);
  cpSync(join(PROJECT_ROOT, 'policies'), bundle, { recursive: true });
  mkdirSync(join(bundle, 'countersign/rules/custom'));
  const routes = Object.fromEntries(
    ['allow', 'clear', 'deny'].map((id) => [id, { methods: ['GET'], path: `/${id}`, tier: 'low', public: true }]),
  );
  writeFileSync(join(bundle, 'countersign/routes/data.yaml'), JSON.stringify(routes));
  for (const [rego, text] of Object.entries(rules)) writeFileSync(join(bundle, `countersign/rules/custom/${rego}.rego`), text);
  return bundle;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-hidden-'));
  const active = bundleOf('active', {});
  const candidate = bundleOf('candidate', {
    allowing: rule('allowing', '/allow', 'allow'),
    clearing: rule('clearing', '/clear', 'clear'),
    denying: rule('denying', '/deny', 'deny'),
  });
  const watched = createHash('sha256').update(PEP_TOKEN).digest('hex');
  service = await startCountersign({
    config: {
      operations: { tokens: OPERATORS },
      policy: { bundle: active, candidate: { bundle: candidate, canary: { percent: 100, secret: '8f14e45fceea167a5a36dedd4bea2543' } } },
      peps: [
        { name: 'local', anonymous: true, trusts: ['client_address', 'explain'] },
        { name: 'watched', tokenSha256: watched, trusts: ['client_address'], enforce: false },
      ],
      drain: { noticeMs: 0, boundMs: 1000 },
    },
  });
  admin = createAdminClient(service.operationsPort);
  await vi.waitFor(async () => expect((await canary())['state']).toBe('ready'), { timeout: 30_000, interval: 100 });
});
afterAll(async () => {
  await service.stop();
  rmSync(directory, { recursive: true });
});

type Json = Record<string, unknown>;
const question = (path: string): Json => ({
  request: { id: 'r1', method: 'GET', scheme: 'https', host: 'api.example.com', path: `${path}?q=${ASKED}`, headers: {} },
  source: { ip: '192.0.2.1' },
});

async function decide(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Json> {
  const url = `http://127.0.0.1:${service.httpPort}/decide`;
  const sent = { 'content-type': 'application/json', ...headers };
  return JSON.parse(await (await fetch(url, { method: 'POST', headers: sent, body: JSON.stringify(question(path)) })).text());
}

async function canary(): Promise<Json> {
  const answer = await fetch(`http://127.0.0.1:${service.operationsPort}/status`, { headers: { authorization: 'Bearer viewer-token' } });
  return Object(JSON.parse(await answer.text()).policies[0].candidate);
}

const spoken = ({ explanation }: Json, code: string): Json =>
  Object(Object(explanation).spoke?.find((one: { readonly code: string }) => one.code === code));

test.each([
  ['/allow', 'allow', 'custom.allowing'],
  ['/clear', 'allow', 'custom.clearing'],
  ['/deny', 'deny', 'custom.denying'],
])('%s: headers of a policy and what clients sent are hidden from those who may only look', async (path, effect, code) => {
  const decision = await decide(path);
  expect(decision['decision']).toBe(effect);
  // the gateway gets all of it
  expect(JSON.stringify(decision)).toContain(SECRET);
  const { status, json } = await admin(`decisions/${decision['decision_id']}`, { role: 'viewer' });
  expect(status).toBe(200);
  expect(json).toMatchObject({ decision_id: decision['decision_id'], decision: effect, policy: decision['policy'] });
  expect(JSON.stringify(json)).not.toContain(SECRET);
  expect(JSON.stringify(json)).not.toContain(ASKED);
  // a decision of a canary is explained, by the candidate's rules
  expect(spoken(json, code)['said']).toMatchObject({
    upstream_headers: { 'x-backend': '***' },
    response_headers: { 'x-answered': '***' },
    asked: { q: ['***'] },
    note: '***',
  });
  expect(json['verdicts']).toContainEqual(expect.objectContaining({ code, upstream_headers: { 'x-backend': '***' } }));
});

test('a simulation hides the values of headers too, and shows operators all the rest', async () => {
  for (const [path, code] of [
    ['/allow', 'custom.allowing'],
    ['/clear', 'custom.clearing'],
    ['/deny', 'custom.denying'],
  ] as const) {
    const { status, json } = await admin('simulate?pep=local', { method: 'POST', role: 'operator', body: question(path) });
    expect(status).toBe(200);
    expect(JSON.stringify(json)).not.toContain(SECRET);
    expect(spoken(json, code)['said']).toMatchObject({ upstream_headers: { 'x-backend': '***' }, asked: { q: [ASKED] } });
    const upstream = Object(json['upstream']);
    if (path !== '/deny') expect(upstream.headers_to_set).toMatchObject({ 'x-backend': '***', 'x-countersign-assurance': '0' });
  }
});

/** Every series of ours that questions move at once: the log is written later. */
async function counted(): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
  return text.split('\n').filter((line) => /^countersign_/.test(line) && !/_age_seconds|uptime|build_info|latency/.test(line));
}

test('a simulation of the candidate of a canary changes nothing', async () => {
  await decide('/deny');
  // what was decided before may still be on its way to the log
  await expect
    .poll(async () => (await counted()).find((line) => line.startsWith('countersign_decision_log_buffered_bytes')))
    .toMatch(/ 0$/);
  const before = { counted: await counted(), canary: await canary() };
  expect(before.counted.find((line) => /^countersign_canary_decisions_total.*"deny"/.test(line))).not.toMatch(/ 0$/);
  for (const path of ['/allow', '/deny', '/clear', '/none'])
    expect((await admin('simulate?pep=local', { method: 'POST', role: 'operator', body: question(path) })).status).toBe(200);
  expect({ counted: await counted(), canary: await canary() }).toEqual(before);
});

test('in monitor mode the decision is kept with who let it pass, and the policy header of the client is taken away', async () => {
  const passed = await decide('/deny', { 'x-countersign-pep-token': PEP_TOKEN });
  expect(passed).toMatchObject({ decision: 'allow', would: 'deny' });
  expect(Object(passed['upstream']).headers_to_remove).toContain('x-backend');
  const { json } = await admin(`decisions/${passed['decision_id']}`, { role: 'viewer' });
  expect(json).toMatchObject({ decision: 'deny', enforced: false, monitored_by: 'pep' });
  const { json: enforced } = await admin(`decisions/${(await decide('/deny'))['decision_id']}`, { role: 'viewer' });
  expect(enforced).not.toHaveProperty('enforced');
  expect(enforced).not.toHaveProperty('monitored_by');
});
