import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Countersign, PROJECT_ROOT, startCountersign } from './support/countersign.ts';
import { decodeCheck, encodeCheck } from './support/ext-authz-wire.ts';
import { connectGrpc, type GrpcClient } from './support/grpc-client.ts';
import { CHECK } from './support/grpc-fixture.ts';

/* The configuration file changes while the process runs: gateways are taken, all or none, and everything else is told. */

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const OPERATOR = 'operator-token';
const edge = (more: object) => ({ name: 'edge', tokenSha256: sha256('first'), ...more });

let service: Countersign;
let connection: GrpcClient;
beforeAll(async () => {
  service = await startCountersign({
    config: {
      peps: [edge({})],
      policy: { bundle: join(PROJECT_ROOT, 'policies') },
      operations: { tokens: [{ name: 'o', role: 'viewer', tokenSha256: sha256(OPERATOR) }] },
    },
  });
  connection = await connectGrpc(`http://127.0.0.1:${service.grpcPort}`);
});
afterAll(async () => {
  connection.session.destroy();
  await service.stop();
});

async function overHttp(token: string): Promise<number> {
  const body = JSON.stringify({ request: { method: 'GET', host: 'api.example', path: '/orders' } });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return (await fetch(`http://127.0.0.1:${service.httpPort}/decide`, { method: 'POST', headers, body })).status;
}

/** On the one connection that is open from the start. */
async function overGrpc(token: string): Promise<boolean> {
  const { messages } = await connection.unary(CHECK, encodeCheck({}), { 'x-countersign-pep-token': token });
  return !JSON.stringify(decodeCheck(messages[0] ?? Buffer.alloc(0))).includes('pep_unauthenticated');
}

async function knows(token: string): Promise<boolean> {
  const known = (await overHttp(token)) === 200;
  expect(await overGrpc(token)).toBe(known);
  return known;
}

async function status(): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${OPERATOR}` };
  const answer = await fetch(`http://127.0.0.1:${service.operationsPort}/status`, { headers });
  return Object(Object(await answer.json()).config);
}

/** As an editor or a mounted volume does it: another file in its place. */
function write(text: string): void {
  writeFileSync(`${service.configFile}.new`, text);
  renameSync(`${service.configFile}.new`, service.configFile);
}

const written = (): Record<string, object> => JSON.parse(readFileSync(service.configFile, 'utf8'));
const change = (more: object) => write(JSON.stringify({ ...written(), ...more }));
const until = (state: object) => expect.poll(status, { timeout: 10_000 }).toMatchObject(state);
const logged = (event: string) =>
  service
    .output()
    .split('\n')
    .filter((line) => line.includes(`"${event}"`));

test('a token is replaced without a gap, on connections that are open too', async () => {
  expect([await knows('first'), await knows('second')]).toEqual([true, false]);
  await until({ state: 'in_force', taken: 0 });
  change({ peps: [edge({ secondTokenSha256: sha256('second') })] });
  await until({ taken: 1 });
  expect([await knows('first'), await knows('second')]).toEqual([true, true]);
  change({ peps: [edge({ tokenSha256: sha256('second') })] });
  await until({ state: 'in_force', taken: 2, refused: 0, problems: [] });
  expect([await knows('first'), await knows('second')]).toEqual([false, true]);
  expect(logged('config_reloaded')).toHaveLength(2);
});

test('a file that is refused changes nothing, is told without a value, and is not the end', async () => {
  const good = readFileSync(service.configFile, 'utf8');
  change({ peps: [edge({ tokenSha256: sha256('third') }), edge({ name: 'other', tokenSha256: 'no-hash-at-all' })] });
  await until({ state: 'refused', refused: 1, problems: [expect.stringMatching(/^peps\[1\]\.tokenSha256: /)] });
  expect([await knows('second'), await knows('third')]).toEqual([true, false]);
  write('peps: [');
  await until({ state: 'refused', refused: 2 });
  rmSync(service.configFile);
  await until({ state: 'refused', refused: 3, problems: [expect.stringContaining('could not be read')] });
  expect(await knows('second')).toBe(true);
  const metrics = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
  expect(metrics).toContain('countersign_config_state{state="refused"} 1');
  expect(metrics).toContain('countersign_config_reloads_total{result="refused"} 3');
  expect(logged('config_refused').join()).not.toContain('no-hash-at-all');
  write(good);
  await until({ state: 'in_force', taken: 2, problems: [] });
  expect(logged('config_recovered')).toHaveLength(1);
});

test('what needs a restart is named, and the gateways are taken beside it', async () => {
  change({ peps: [edge({ tokenSha256: sha256('fourth') })], decisions: { deadlineMs: 149 } });
  await until({ state: 'restart_needed', sections: ['decisions'], taken: 3 });
  expect([await knows('second'), await knows('fourth')]).toEqual([false, true]);
  change({ decisions: {} });
  await until({ state: 'in_force', sections: [] });
});
