import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPA_BIN } from '../decide/fixtures.ts';
import { PROJECT_ROOT, startCountersign } from '../support/countersign.ts';
import { copyPolicies, type RouteData } from '../support/policy-directory.ts';

/* Logs that the service has written, decided again by the command as it is run. */

const ROUTES: Record<string, RouteData> = {
  open: { methods: ['GET'], path: '/open', tier: 'low', public: true },
  item: { methods: ['GET'], path: '/items/{id}', tier: 'low', public: true },
};
const NO_RATES = { client: {}, address: {}, token: {}, api_key: {}, route: {} };
const MODES = ['full', 'referenced', 'none'] as const;

const folder = mkdtempSync(join(tmpdir(), 'countersign-replay-'));
const at = (name: string): string => join(folder, name);
const logOf = (mode: string): string => at(`${mode}.jsonl`);

/** 12 of one address, 3 of another one, one that no route has, and one whose path hides something. */
const QUESTIONS = [
  ...Array.from({ length: 12 }, () => ['/open', '192.0.2.1']),
  ...Array.from({ length: 3 }, () => ['/items/7?token=abc', '203.0.113.9']),
  ['/nowhere', '192.0.2.2'],
  ['/items/7;v=1', '192.0.2.3'],
];

beforeAll(async () => {
  for (const name of ['before', 'after']) mkdirSync(at(name));
  copyPolicies(at('before'), { routes: ROUTES, limits: { rate: NO_RATES } });
  copyPolicies(at('after'), {
    routes: { ...ROUTES, item: { methods: ['GET'], path: '/items/{id}', tier: 'medium', scopes: ['items:read'] } },
    limits: {
      rate: { ...NO_RATES, address: { '1m': 10 } },
      network: { countries_blocked: [], addresses_blocked: ['192.0.2.2'], list_tags: {} },
      counters: { by_tenant: { key: ['header:x-tenant'] } },
    },
  });
  for (const mode of MODES) {
    const service = await startCountersign({
      config: {
        peps: [{ name: 'local', anonymous: true, trusts: ['client_address'] }],
        policy: { bundle: at('before'), opaBin: OPA_BIN },
        decisions: { log: { sink: { file: logOf(mode) }, input: mode } },
      },
    });
    for (const [path, ip] of QUESTIONS) {
      const body = JSON.stringify({ request: { method: 'GET', scheme: 'https', host: 'api.example', path }, source: { ip } });
      const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(answer.status).toBe(200);
    }
    await service.stop();
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

function countersign(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = [join(PROJECT_ROOT, 'src/main.ts'), 'replay', ...args];
  return new Promise((done) => {
    execFile(process.execPath, command, { env: { ...process.env, OPA_BIN } }, (error, stdout, stderr) =>
      done({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

describe.each(['full', 'referenced'])('a log with input %s', (mode) => {
  it('comes to the same by the same policy', async () => {
    const { code, stdout, stderr } = await countersign('--log', logOf(mode), '--policy', at('before'), '--max-changes', '0', '--json');
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ lines: 17, records: 17, replayed: 17, same: 17, changed: 0, not_replayable: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ new_denies: 0, not_reevaluated: {}, damaged_lines: 0, other_policies: 0 });
  });

  it('shows what another catalogue, other limits and another list of addresses change', async () => {
    const { code, stdout } = await countersign('--log', logOf(mode), '--policy', at('after'), '--max-new-denies', '25%', '--json');
    expect(code).toBe(1);
    const report: unknown = JSON.parse(stdout);
    const client = { clients: [{ client: null, records: expect.any(Number) }] };
    expect(report).toMatchObject({ replayed: 17, same: 11, changed: 6, new_denies: 5, new_step_ups: 0, other_reasons: 1 });
    expect(report).toMatchObject({
      changes: [
        {
          from: { effect: 'allow', reason: 'access.public_route', status: null },
          to: { effect: 'deny', reason: 'identity.token_required', status: 401 },
          records: 3,
          ...client,
        },
        { from: { effect: 'allow' }, to: { effect: 'deny', reason: 'rate.exceeded', status: 429 }, records: 2, ...client },
        { from: { reason: 'identity.token_required' }, to: { effect: 'deny', reason: 'network.address_blocked', status: 403 }, records: 1 },
      ],
      // `;v=1` is hidden in the log: which route that path would fall on cannot be said
      not_reevaluated: { 'rate.counters.by_tenant': 17, routes: 1 },
      exceeded: [{ option: '--max-new-denies', limit: '25%', records: 5 }],
    });
  });
});

it('a log without input says so, and does not end well', async () => {
  const { code, stdout, stderr } = await countersign('--log', logOf('none'), '--policy', at('before'));
  expect(code).toBe(65);
  expect(stdout).toContain('not replayable  17 (100%)\n');
  expect(stdout).toMatch(/\n {2}17 no_input \(/);
  expect(stderr).toBe('No record of the policy "default" could be replayed.\n');
});

it('several logs, packed and damaged, are one replay', async () => {
  const packed = gzipSync(readFileSync(logOf('full')));
  writeFileSync(at('whole.gz'), packed);
  writeFileSync(at('cut.gz'), packed.subarray(0, packed.length / 2));
  writeFileSync(
    at('torn.jsonl'),
    `${readFileSync(logOf('full'), 'utf8').slice(0, 200)}\n{"kind":"decision"}\n\xff\n{"kind":"log"}\n`,
    'latin1',
  );
  const logs = ['--log', at('whole.gz'), at('cut.gz'), at('torn.jsonl')];
  const { code, stdout } = await countersign(...logs, '--policy', at('before'), '--json');
  // half a log is no replay of the whole
  expect(code).toBe(66);
  expect(JSON.parse(stdout)).toMatchObject({
    broken_logs: ['cut.gz'],
    changed: 0,
    other_lines: 1,
    damaged_lines: 4,
    damaged: [
      { file: 'cut.gz', problem: 'gzip_broken' },
      { file: 'torn.jsonl', line: 1, problem: 'not_json' },
      { file: 'torn.jsonl', line: 2, problem: 'form' },
      { file: 'torn.jsonl', line: 3, problem: 'not_utf8' },
    ],
  });
});
