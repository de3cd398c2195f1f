import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { POLICIES } from './decide/fixtures.ts';
import { keyFiles } from './decide/signed-bundles.ts';
import { OPERATORS } from './support/admin-client.ts';
import { decide, linesOf, statusOf } from './support/admin-service.ts';
import { type Countersign, startCountersign } from './support/countersign.ts';
import { policyJson } from './support/policy-cli.ts';

/* The commands against the service itself: what `build` signs is what a service with the key takes, and nothing else. */

const folder = mkdtempSync(join(tmpdir(), 'countersign-admin-policy-'));
const at = (name: string): string => join(folder, name);
const { privateFile, publicFile } = keyFiles(folder, 'ES256');
let service: Countersign;

beforeAll(async () => {
  for (const role of ['viewer', 'operator', 'admin']) writeFileSync(at(role), `${role}-token\n`);
  for (const number of [1, 2, 3]) await build(`r${number}`, number);
  service = await startCountersign({
    config: {
      operations: { tokens: OPERATORS },
      state: { directory: at('state') },
      policy: {
        bundle: at('r1.tar.gz'),
        signing: { scope: 'production', keys: { release: { algorithm: 'ES256', keyFile: publicFile } } },
      },
      decisions: { log: { sink: 'none' } },
    },
  });
}, 120_000);
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

async function build(revision: string, sequence: number, scope = 'production'): Promise<void> {
  const signing = ['--signing-key', privateFile, '--signing-alg', 'ES256', '--key-id', 'release', '--scope', scope];
  const args = ['build', POLICIES, '--out', at(`${revision}.tar.gz`), '--revision', revision, '--sequence', String(sequence), ...signing];
  expect((await policyJson(args)).said).toMatchObject({ ok: true, revision, signed: true });
}

function tell(verb: string, more: readonly string[], role = 'admin') {
  return policyJson([verb, 'default', ...more, '--url', `http://127.0.0.1:${service.operationsPort}`, '--token-file', at(role)]);
}
const active = async (): Promise<unknown> => (await decide(service.httpPort, '/health'))['policy'];

test('push and rollback of signed bundles, by the commands', async () => {
  expect(await active()).toEqual({ name: 'default', revision: 'r1' });
  expect(await tell('push', [at('r2.tar.gz')])).toMatchObject({ code: 0, said: { ok: true, name: 'default', revision: 'r2' } });
  expect(await tell('push', [at('r3.tar.gz')])).toMatchObject({ code: 0, said: { revision: 'r3' } });
  expect([await active(), (await statusOf(service))['running_on']]).toEqual([{ name: 'default', revision: 'r3' }, 'activated']);

  // what no key vouches for, and what was signed for another place
  expect((await policyJson(['build', POLICIES, '--out', at('bare.tar.gz'), '--revision', 'bare'])).code).toBe(0);
  expect(await tell('push', [at('bare.tar.gz')])).toMatchObject({ code: 65, said: { error: { code: 'bundle_unsigned' } } });
  await build('other', 9, 'staging');
  expect(await tell('push', [at('other.tar.gz')])).toMatchObject({ code: 65, said: { ok: false } });
  // an old one is no way back: rollback is
  expect(await tell('push', [at('r2.tar.gz')])).toMatchObject({ code: 65, said: { error: { code: 'bundle_sequence_behind' } } });
  expect(await tell('push', [at('r3.tar.gz')], 'operator')).toMatchObject({ code: 77, said: { error: { code: 'operator_not_allowed' } } });
  expect(await active()).toEqual({ name: 'default', revision: 'r3' });

  expect(await tell('rollback', ['--revision', 'r1'], 'operator')).toMatchObject({ code: 0, said: { revision: 'r1' } });
  expect([await active(), (await statusOf(service))['running_on']]).toEqual([{ name: 'default', revision: 'r1' }, 'rolled_back']);
  expect(await tell('rollback', ['--revision', 'r9'], 'operator')).toMatchObject({
    code: 65,
    said: { error: { code: 'revision_unknown' } },
  });
  expect(await tell('rollback', [], 'viewer')).toMatchObject({ code: 77 });
  expect(linesOf(service, 'admin_change').map(({ operator, action, before, after }) => [operator, action, before, after])).toEqual([
    ['admin-1', 'policy_activate', 'r1', 'r2'],
    ['admin-1', 'policy_activate', 'r2', 'r3'],
    ['operator-1', 'policy_rollback', 'r3', 'r1'],
  ]);
  expect(linesOf(service, 'admin_refused').map(({ code }) => code)).toContain('bundle_unsigned');
}, 120_000);
