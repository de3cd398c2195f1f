import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type AdminReply, startAdminServer } from '../support/admin-server.ts';
import { policyCli, policyJson } from '../support/policy-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-policy-cli-push-'));
const bundle = join(folder, 'policy.tar.gz');
const tokenFile = join(folder, 'token');
const BYTES = Buffer.from([0x1f, 0x8b, 0, 255, 10, 13]);
const TOKEN = 'an-operator-token';
writeFileSync(bundle, BYTES);
writeFileSync(tokenFile, `${TOKEN}\n`);
afterAll(() => rmSync(folder, { recursive: true }));

let stop: (() => Promise<void>) | null = null;
afterEach(async () => {
  await stop?.();
  stop = null;
});

async function serve(reply: AdminReply | null) {
  const server = await startAdminServer(() => reply);
  stop = server.stop;
  return server;
}

const ACTIVE: AdminReply = { status: 200, body: '{"name":"default","revision":"r2"}' };

describe('policy push', () => {
  it('puts the bundle as it lies there, with the token of a file', async () => {
    const { url, asked } = await serve(ACTIVE);
    const { code, said } = await policyJson(['push', 'pay ments/1', bundle, '--url', `${url}/`, '--token-file', tokenFile]);
    expect([code, said]).toEqual([0, { ok: true, name: 'default', revision: 'r2' }]);
    expect(asked).toEqual([
      {
        method: 'PUT',
        path: '/admin/v1/policies/pay%20ments%2F1',
        authorization: `Bearer ${TOKEN}`,
        contentType: 'application/gzip',
        body: BYTES,
      },
    ]);
  });

  it('takes the bundle from standard input and the token from a variable', async () => {
    const { url, asked } = await serve(ACTIVE);
    process.env['POLICY_CLI_TEST_TOKEN'] = TOKEN;
    const { code, stdout } = await policyCli(['push', 'default', '-', '--url', url, '--token-env', 'POLICY_CLI_TEST_TOKEN'], BYTES);
    Reflect.deleteProperty(process.env, 'POLICY_CLI_TEST_TOKEN');
    expect([code, stdout]).toEqual([0, 'default: revision r2 is active\n']);
    expect(asked[0]).toMatchObject({ authorization: `Bearer ${TOKEN}`, body: BYTES });
  });

  it.each([
    [
      'a bundle that is refused',
      400,
      '{"code":"bundle_unreadable","title":"The bundle could not be read","detail":"not gzip"}',
      65,
      'bundle_unreadable',
    ],
    ['a policy that is not known', 404, '{"code":"policy_unknown","title":"t"}', 65, 'policy_unknown'],
    ['a token that is not known', 401, '{"code":"operator_unauthenticated","title":"t"}', 77, 'operator_unauthenticated'],
    ['a role that may not', 403, '{"code":"role_missing","title":"t"}', 77, 'role_missing'],
    ['a service that cannot', 503, '{"code":"overloaded","title":"t"}', 69, 'overloaded'],
    ['a proxy', 502, '<html>', 69, 'admin_answer_unknown'],
    ['a page', 200, '<html>', 69, 'admin_answer_unknown'],
    ['an answer of another form', 200, '{"name":"default"}', 69, 'admin_answer_unknown'],
  ])('ends by what it was told: %s', async (_what, status, body, code, name) => {
    const { url } = await serve({ status, body });
    const ended = await policyJson(['push', 'default', bundle, '--url', url, '--token-file', tokenFile]);
    expect(ended).toMatchObject({ code, said: { ok: false, error: { code: name } } });
    const words = await policyCli(['push', 'default', bundle, '--url', url, '--token-file', tokenFile]);
    expect([words.code, words.stdout]).toEqual([code, '']);
    expect(words.stderr).toContain(`${name}: `);
    expect(words.stderr).not.toContain(TOKEN);
  });

  it('hands the token on to nobody', async () => {
    const other = await startAdminServer(() => ACTIVE);
    const { url } = await serve({ status: 307, headers: { location: `${other.url}/admin/v1/policies/default` }, body: '' });
    expect((await policyCli(['push', 'default', bundle, '--url', url, '--token-file', tokenFile])).code).toBe(69);
    expect(other.asked).toEqual([]);
    await other.stop();
    const far = await policyJson(['push', 'default', bundle, '--url', 'http://admin.example:9090', '--token-file', tokenFile]);
    expect(far).toMatchObject({ code: 69, said: { error: { text: expect.stringContaining('neither https nor loopback') } } });
  });

  it('does not wait for ever, and says that nobody is there', async () => {
    const { url } = await serve(null);
    const hung = await policyJson(['push', 'default', bundle, '--url', url, '--token-file', tokenFile, '--timeout-ms', '100']);
    expect(hung).toMatchObject({ code: 69, said: { error: { code: 'fetch_failed', text: expect.stringContaining('timeout') } } });
    await stop?.();
    stop = null;
    expect((await policyCli(['push', 'default', bundle, '--url', url, '--token-file', tokenFile])).code).toBe(69);
  });

  it('asks for a token, an address and a bundle', async () => {
    const push = (...more: readonly string[]) => policyCli(['push', 'default', bundle, ...more]);
    expect((await push('--token-file', tokenFile)).code).toBe(64);
    expect((await push('--url', 'https://a.example')).code).toBe(64);
    expect((await push('--url', 'https://a.example', '--token-file', tokenFile, '--token-env', 'X')).code).toBe(64);
    expect((await push('--url', 'https://a.example', '--token-env', 'POLICY_CLI_TEST_NONE')).code).toBe(66);
    expect((await push('--url', 'https://a.example', '--token-file', join(folder, 'none'))).code).toBe(66);
    expect(
      (await policyCli(['push', 'default', join(folder, 'none'), '--url', 'https://127.0.0.1:1', '--token-file', tokenFile])).code,
    ).toBe(66);
  });
});

describe('policy rollback', () => {
  it.each([
    [[], '{}'],
    [['--revision', 'r1'], '{"revision":"r1"}'],
  ])('with %j asks for what was active before', async (more, body) => {
    const { url, asked } = await serve({ status: 200, body: '{"name":"default","revision":"r1"}' });
    const { code, stdout } = await policyCli(['rollback', 'default', '--url', url, '--token-file', tokenFile, ...more]);
    expect([code, stdout]).toEqual([0, 'default: revision r1 is active again\n']);
    expect(asked).toEqual([
      {
        method: 'POST',
        path: '/admin/v1/policies/default/rollback',
        authorization: `Bearer ${TOKEN}`,
        contentType: 'application/json',
        body: Buffer.from(body),
      },
    ]);
  });

  it('ends by what it was told', async () => {
    const { url } = await serve({ status: 409, body: '{"code":"revision_unknown","title":"t","detail":"r9"}' });
    expect(await policyJson(['rollback', 'default', '--url', url, '--token-file', tokenFile, '--revision', 'r9'])).toMatchObject({
      code: 65,
      said: { error: { code: 'revision_unknown', text: 't: r9' } },
    });
  });
});

describe('policy promote and withdraw', () => {
  it.each([
    [[], '{}'],
    [['--revision', 'r2'], '{"revision":"r2"}'],
  ])('promote with %j makes the candidate active', async (more, body) => {
    const { url, asked } = await serve(ACTIVE);
    const { code, stdout } = await policyCli(['promote', 'default', '--url', url, '--token-file', tokenFile, ...more]);
    expect([code, stdout]).toEqual([0, 'default: revision r2 is active\n']);
    expect(asked).toMatchObject([
      { method: 'POST', path: '/admin/v1/policies/default/promote', contentType: 'application/json', body: Buffer.from(body) },
    ]);
  });

  it('withdraw has no body, and names the candidate', async () => {
    const { url, asked } = await serve({ status: 200, body: '{"name":"default","candidate":{"revision":"r2","state":"resting"}}' });
    const { code, said } = await policyJson(['withdraw', 'default', '--url', url, '--token-file', tokenFile]);
    expect([code, said]).toEqual([0, { ok: true, name: 'default', revision: 'r2' }]);
    expect(asked).toEqual([
      {
        method: 'POST',
        path: '/admin/v1/policies/default/withdraw',
        authorization: `Bearer ${TOKEN}`,
        contentType: '',
        body: Buffer.from(''),
      },
    ]);
  });

  it.each(['promote', 'withdraw'])('%s ends by what it was told', async (command) => {
    const { url } = await serve({ status: 404, body: '{"code":"candidate_missing","title":"t"}' });
    expect(await policyJson([command, 'default', '--url', url, '--token-file', tokenFile])).toMatchObject({
      code: 65,
      said: { error: { code: 'candidate_missing' } },
    });
  });
});
