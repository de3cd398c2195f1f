import { afterAll, describe, expect, test } from 'vitest';
import type { IntrospectionOptions } from '../../../src/identify/introspection/options.ts';
import { type IntrospectionServer, startIntrospectionServer } from '../../support/introspection-server.ts';
import { httpFacts } from '../bound.ts';
import { createBench, identityOptions, issuerOptions, tokenOf } from '../fixtures.ts';
import { ACTIVE, introspectionOptions } from './fixtures.ts';

const servers: IntrospectionServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const A = 'https://a.example';
const B = 'https://b.example';

/** Two issuers; tokens for the host a.example are A's, those for b.example B's. */
async function two(more: Partial<IntrospectionOptions> = {}) {
  const [a, b] = [await startIntrospectionServer(), await startIntrospectionServer()];
  servers.push(a, b);
  a.answer = () => ({ ...ACTIVE, iss: A, sub: 'of-a' });
  const of = (server: IntrospectionServer, host: string) =>
    introspectionOptions({ endpoint: server.url, opaqueTokens: { peps: [], hosts: [host] }, ...more });
  const bench = createBench(
    identityOptions([
      issuerOptions({ issuer: A, introspection: of(a, 'a.example') }),
      issuerOptions({ issuer: B, introspection: of(b, 'b.example') }),
    ]),
  );
  const at = (host: string, token: string) => ({ authorization: [`Bearer ${token}`], http: httpFacts({ host }) });
  return { ...bench, a, b, at };
}

describe('two servers', () => {
  test('[asks 30] the same text, active at A and not at B: each host has its own answer, whichever came first', async () => {
    const { identify, judge, at } = await two();
    expect(tokenOf(await identify(at('a.example', 'same')))).toMatchObject({ issuer: A, subject: 'of-a' });
    expect(await judge('same', at('b.example', 'same'))).toBe('invalid token_inactive');
    expect(tokenOf(await identify(at('a.example', 'same'))).subject).toBe('of-a');
    const other = await two();
    expect(await other.judge('same', other.at('b.example', 'same'))).toBe('invalid token_inactive');
    expect(await other.judge('same', other.at('a.example', 'same'))).toBe('present');
  });

  test('active at both, as different subjects: neither is taken for the other, nor counted as it', async () => {
    const { identify, b, at } = await two();
    b.answer = () => ({ ...ACTIVE, iss: B, sub: 'of-b' });
    const [ofA, ofB] = [await identify(at('a.example', 'same')), await identify(at('b.example', 'same'))];
    expect([tokenOf(ofA).subject, tokenOf(ofB).subject]).toEqual(['of-a', 'of-b']);
    expect(ofA.tokenKey).not.toBe(ofB.tokenKey);
  });

  test('a token is shown to the selected one only, and to none where none is selected', async () => {
    const { judge, a, b, at } = await two();
    expect(await judge('t', at('b.example', 't'))).toBe('invalid token_inactive');
    expect(await judge('t', at('c.example', 't'))).toBe('invalid issuer_unknown');
    expect(await judge('t')).toBe('invalid issuer_unknown');
    expect([a.asked.length, b.asked.length]).toEqual([0, 1]);
  });

  test('one that fails does not keep the other from answering', async () => {
    const { judge, a, b, at } = await two();
    await b.stop();
    for (let index = 0; index < 6; index++) await judge('t', at('b.example', `t${index}`));
    expect(await judge('t', at('b.example', 't'))).toBe('unavailable introspection_unavailable');
    expect(await judge('t', at('a.example', 't'))).toBe('present');
    expect(a.asked).toHaveLength(1);
  });
});

test('by gateway: the tokens of another one are nobody’s', async () => {
  const server = await startIntrospectionServer();
  servers.push(server);
  const of = (peps: readonly string[]) => {
    const introspection = introspectionOptions({ endpoint: server.url, opaqueTokens: { peps, hosts: [] } });
    return createBench(identityOptions([issuerOptions({ introspection })]));
  };
  server.answer = () => ACTIVE;
  expect(await of(['edge']).judge('t')).toBe('present');
  expect(await of(['inner']).judge('t')).toBe('invalid issuer_unknown');
});
