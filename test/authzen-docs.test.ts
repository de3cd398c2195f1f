import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { OPA_BIN, opa } from './decide/fixtures.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from './support/countersign.ts';
import { fencedBlocks } from './support/markdown.ts';

/* The service as its own process, by the configuration that ships for the certification. */

const run = promisify(execFile);
const FOLDER = join(PROJECT_ROOT, 'config/authzen-certification');
let service: Countersign;

beforeAll(async () => {
  const config: Record<string, unknown> = parse(readFileSync(join(FOLDER, 'countersign.yaml'), 'utf8'));
  const policy = { ...Object(config['policy']), bundle: join(FOLDER, 'policy'), opaBin: OPA_BIN };
  service = await startCountersign({ config: { ...config, policy } });
});
afterAll(() => service.stop());

async function shell(text: string): Promise<unknown> {
  const { stdout } = await run('sh', ['-euc', text.replaceAll('127.0.0.1:8080', `127.0.0.1:${service.httpPort}`)]);
  return JSON.parse(stdout);
}

test('docs/authzen.md: every command gives what the page says', async () => {
  const blocks = fencedBlocks(readFileSync(join(PROJECT_ROOT, 'docs/authzen.md'), 'utf8')).filter(({ info }) => info === 'sh');
  expect(blocks).toHaveLength(2);
  const [one = '', several = ''] = blocks.map(({ text }) => text);
  expect(await shell(one)).toMatchObject({ decision: true, context: { decision_id: expect.any(String) } });
  const denied = { decision: false, context: { reasons: [{ code: 'certification.not_granted' }] } };
  expect(await shell(several)).toMatchObject({ evaluations: [{ decision: true }, denied] });
  // the log is written in portions
  await vi.waitFor(() => expect(service.output().match(/"endpoint":"authzen"/g)).toHaveLength(3), { timeout: 10_000 });
});

test('the metadata are those of the configured id', async () => {
  const answer = await fetch(`http://127.0.0.1:${service.httpPort}/.well-known/authzen-configuration`);
  expect([answer.status, await answer.json()]).toMatchObject([200, { policy_decision_point: 'http://127.0.0.1:8080' }]);
});

test('decisions are counted under the name of the endpoint', async () => {
  await shell("curl -s http://127.0.0.1:8080/access/v1/evaluation -H 'content-type: application/json' -d '{}' -o /dev/null; echo 1");
  const metrics = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
  expect(metrics).toMatch(/effect="allow",[^}]*endpoint="authzen"[^}]*\} 2\n/);
  expect(metrics).toMatch(/request_invalid/);
});

test("the policy's own tests pass", () => {
  expect(opa(['test', '--format', 'json', join(FOLDER, 'policy')])).not.toContain('"fail"');
  opa(['check', '--strict', '--schema', 'policies/schemas', join(FOLDER, 'policy')]);
  expect(opa(['fmt', '--list', FOLDER])).toBe('');
});
