import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import { send } from '../support/http-client.ts';
import { createWorld, decisionLines, type World } from './world.ts';

/** [asks 83] A secret, wherever a client puts it, is nowhere to be read afterwards: not in a log at level debug, a metric, an error, the status. */

const CANARY = 'canary7f3a9e51';
const OPERATOR = 'an-operator-token-of-this-test';

let world: World;
let service: Countersign;
let token: string;
/** Everything that was answered, by whatever listener. */
const answers: string[] = [];

beforeAll(async () => {
  world = await createWorld();
  service = await world.service({
    log: { level: 'debug' },
    operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update(OPERATOR).digest('hex') }] },
  });
  token = await world.oidc.token('agent-a', ['orders:read']);
  const envoy = await world.envoy([service], { requestBody: { bytesMax: 65_536, allowPartial: true } });
  const unknownGateway = await world.envoy([service], { pepToken: `${CANARY}-pep` });
  for (const authorization of [`Bearer ${token}`, `Bearer ${CANARY}`, `Bearer ${CANARY}.${CANARY}.${CANARY}`, `Basic ${CANARY}`, CANARY]) {
    const headers = [
      ...['authorization', authorization, 'x-custom-token', `${CANARY}-custom`, 'cookie', `session=${CANARY}-cookie`],
      ...['x-api-key', `${CANARY}-key`, 'proxy-authorization', `Basic ${CANARY}`, 'content-type', 'application/json'],
    ];
    const path = `/orders?access_token=${CANARY}-query&password=${CANARY}`;
    const body = JSON.stringify({ password: `${CANARY}-body` });
    for (const method of ['GET', 'POST']) {
      for (const front of [envoy, unknownGateway]) {
        const answer = await send(front.port, { method, path, headers, body });
        if (answer.status !== 200) keep(answer.body); // the echo of the upstream is not ours
      }
    }
    await decide(
      JSON.stringify({ request: { method: 'POST', host: 'api.example', path, headers: pairs(headers) }, source: { ip: '127.0.0.1' } }),
    );
  }
  for (const bad of [
    `{"request": "${CANARY}"}`,
    `{"request": {"headers": {"x": {"y": "${CANARY}"}}}}`,
    `{"a": ${CANARY}`,
    `{"request": {"method": ["${CANARY}"]}}`,
    `${CANARY}\ud800`,
  ]) {
    await decide(bad);
  }
  await decide('{}', ['x-countersign-pep-token', `${CANARY}-pep`]);
  await decide('{}', ['authorization', `Bearer ${CANARY}`]);
  const operations = `http://127.0.0.1:${service.operationsPort}`;
  for (const bearer of [OPERATOR, `${CANARY}-operator`]) {
    keep(await (await fetch(`${operations}/status`, { headers: { authorization: `Bearer ${bearer}` } })).text());
  }
  keep(await (await fetch(`${operations}/metrics`)).text());
  keep(await (await fetch(`${operations}/readyz`)).text());
  await service.stop(); // what is buffered is written first
});
afterAll(() => world.stop());

describe('[asks 83] secrets', () => {
  it('are in none of the answers, the metrics and the status', () => {
    expect(answers.length).toBeGreaterThan(20);
    expect(answers.filter((text) => text.includes(CANARY) || text.includes(token))).toEqual([]);
  });

  it('are in no line of any log at level debug', () => {
    expect(decisionLines(service).length).toBeGreaterThan(10);
    const lines = service.output().split('\n');
    expect(lines.filter((line) => line.includes('"level"')).length).toBeGreaterThan(0);
    const [, , signature = ''] = token.split('.');
    expect(lines.filter((line) => line.includes(CANARY) || line.includes(signature))).toEqual([]);
  });
});

function keep(text: string): void {
  answers.push(text);
}

async function decide(body: string, headers: readonly string[] = []): Promise<void> {
  const sent = { method: 'POST', path: '/decide', headers: ['content-type', 'application/json', ...headers], body };
  keep((await send(service.httpPort, sent)).body);
}

function pairs(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : [])));
}
