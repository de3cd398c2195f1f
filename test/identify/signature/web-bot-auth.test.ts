import { describe, expect, test } from 'vitest';
import { createMessageKey } from '../../support/http-signatures.ts';
import { NOW } from '../fixtures.ts';
import {
  AGENT,
  botOptions,
  botRequest,
  createSignatureBench,
  directoryOf,
  fetching,
  profileOptions,
  signedRequest,
  signer,
  stranger,
} from './signed.ts';

const bots = (more: Parameters<typeof botOptions>[0] = {}, asked: string[] = []) =>
  createSignatureBench({ profiles: [], webBotAuth: botOptions(more) }, directoryOf([signer.jwk], asked));
const parameters = (created: number, expires: number, keyId = signer.thumbprint) =>
  `;created=${created};expires=${expires};keyid="${keyId}";tag="web-bot-auth"`;

describe('a web bot', () => {
  test('is the agent that it names, with the key that the agent publishes', async () => {
    const asked: string[] = [];
    const bench = await bots({}, asked);
    const identity = await bench.identify(botRequest({ more: ';nonce="n"' }));
    expect(identity.signals.signature).toEqual({
      status: 'present',
      value: {
        profile: 'web_bot_auth',
        keySet: null,
        agent: AGENT,
        agentListed: false,
        clientId: null,
        label: 'sig1',
        keyId: signer.thumbprint,
        tag: 'web-bot-auth',
        algorithm: 'ed25519',
        createdAt: NOW,
        expiresAt: NOW + 300,
        covered: ['@authority', 'signature-agent;key="sig1"'],
        nonce: true,
        digest: 'none',
      },
    });
    expect(asked).toEqual(['https://bot.example/.well-known/http-message-signatures-directory']);
    expect(identity.subject).toMatchObject({ type: 'agent', id: AGENT, asserted: false, client: null });
    expect(identity.evidence).toMatchObject({ methods: ['signature'], assurance: 0 });
  });

  test('that the configuration names counts for a little more', async () => {
    const bench = await bots({ agents: ['bot.example'] });
    const identity = await bench.identify(botRequest());
    expect(identity.evidence.assurance).toBe(1);
    expect(identity.signals.signature).toMatchObject({ value: { agentListed: true } });
  });

  test.each([
    [
      'in the old form, a string',
      {
        agentHeader: `"${AGENT}"`,
        lines: [
          ['"@authority"', 'api.example'],
          ['"signature-agent"', `"${AGENT}"`],
        ] as const,
      },
    ],
    [
      'with all of a field of one agent covered',
      {
        lines: [
          ['"@authority"', 'api.example'],
          ['"signature-agent"', `sig1="${AGENT}"`],
        ] as const,
      },
    ],
    [
      'with the target in place of the authority',
      {
        lines: [
          ['"@target-uri"', 'https://api.example/orders/42'],
          ['"signature-agent";key="sig1"', `"${AGENT}"`],
        ] as const,
      },
    ],
  ])('%s', async (_, signing) => {
    const bench = await bots();
    expect(await bench.judge(botRequest(signing))).toBe('present');
  });

  test.each([
    ['jwks_uri', 'https://bot.example/keys.json'],
    ['cimd', 'https://bot.example/card'],
  ])('publishes by %s', async (type, uri) => {
    const asked: string[] = [];
    const documents: Record<string, unknown> = {
      'https://bot.example/keys.json': { keys: [signer.jwk] },
      'https://bot.example/card': { client_id: uri, jwks_uri: 'https://bot.example/keys.json' },
    };
    const answer = (url: string) => {
      asked.push(url);
      return { ok: true, bytes: Buffer.from(JSON.stringify(documents[url])) } as const;
    };
    const bench = await createSignatureBench({ profiles: [], webBotAuth: botOptions() }, fetching(answer));
    const member = `"${uri}";type=${type}`;
    const lines = [['"@authority"', 'api.example'] as const, ['"signature-agent";key="sig1"', member] as const];
    expect(await bench.value(botRequest({ agentHeader: `sig1=${member}`, lines }))).toMatchObject({ agent: uri });
    expect(asked).toEqual(type === 'cimd' ? [uri, 'https://bot.example/keys.json'] : [uri]);
  });
});

const VALID = parameters(NOW, NOW + 300);
const AUTHORITY = ['"@authority"', 'api.example'] as const;

describe('is refused', () => {
  test.each([
    ['a key id that is no thumbprint', { parameters: parameters(NOW, NOW + 300, 'k1') }, 'signature_key_id_invalid'],
    ['the thumbprint of another key', { parameters: parameters(NOW, NOW + 300, stranger.thumbprint) }, 'signature_key_unknown'],
    ['another key with the thumbprint of this one', { key: stranger, parameters: VALID }, 'signature_invalid'],
    ['no end', { parameters: `;created=${NOW};keyid="${signer.thumbprint}";tag="web-bot-auth"` }, 'signature_parameter_missing'],
    ['more than a day', { parameters: parameters(NOW, NOW + 86_401) }, 'signature_lifetime_too_long'],
    ['expired', { parameters: parameters(NOW - 60, NOW - 5) }, 'signature_expired'],
    ['an agent that is not covered', { lines: [AUTHORITY] }, 'signature_coverage_insufficient'],
    [
      'an authority that is not covered',
      { lines: [['"signature-agent";key="sig1"', `"${AGENT}"`]] as const },
      'signature_coverage_insufficient',
    ],
    [
      'agents of which the covered one is not this signature’s',
      {
        agentHeader: `a="https://a.example", b="${AGENT}"`,
        lines: [AUTHORITY, ['"signature-agent"', `a="https://a.example", b="${AGENT}"`]] as const,
      },
      'signature_agent_invalid',
    ],
    [
      'two agents covered',
      {
        agentHeader: `sig1="${AGENT}", b="https://b.example"`,
        lines: [AUTHORITY, ['"signature-agent";key="sig1"', `"${AGENT}"`], ['"signature-agent";key="b"', '"https://b.example"']] as const,
      },
      'signature_coverage_insufficient',
    ],
    ['an agent that was exchanged', { agentHeader: 'sig1="https://evil.example"' }, 'signature_invalid'],
    [
      'an agent of another type',
      { agentHeader: `sig1="${AGENT}";type=x`, lines: [AUTHORITY, ['"signature-agent";key="sig1"', `"${AGENT}";type=x`]] as const },
      'signature_agent_invalid',
    ],
    ['an agent twice', { agentHeader: `sig1="${AGENT}", sig1="${AGENT}"` }, 'signature_agent_invalid'],
    ['an agent that is no text', { agentHeader: 'sig1=1' }, 'signature_agent_invalid'],
  ])('%s', async (_, signing, code) => {
    const bench = await bots();
    expect(await bench.judge(botRequest(signing))).toBe(`invalid ${code}`);
  });

  test.each([
    'http://bot.example',
    'https://bot.example/path',
    'https://bot.example?x',
    'https://bot.example#x',
    'https://user@bot.example',
    'https://127.0.0.1',
    'https://0x7f.1',
    'https://2130706433',
    'https://[::1]',
    'https://localhost',
    'https://bot',
    'ftp://bot.example',
    'bot.example',
    'data:text/plain,x',
  ])('the agent %s, without a fetch', async (agent) => {
    const asked: string[] = [];
    const bench = await bots({}, asked);
    expect(await bench.judge(botRequest({ agent }))).toBe('invalid signature_agent_invalid');
    expect(asked).toEqual([]);
  });

  test('an agent that the configuration does not name, without a fetch', async () => {
    const asked: string[] = [];
    const bench = await bots({ agents: ['good.example'] }, asked);
    expect(await bench.judge(botRequest())).toBe('invalid signature_agent_not_allowed');
    expect(await bench.judge(botRequest({ agent: 'https://x.good.example' }))).toBe('invalid signature_agent_not_allowed');
    expect(asked).toEqual([]);
  });

  test('no agent at all', async () => {
    const bench = await bots();
    expect(await bench.judge(signedRequest({ lines: [AUTHORITY], parameters: VALID }))).toBe('invalid signature_agent_missing');
  });

  test('a nonce that comes again, from whichever agent', async () => {
    const bench = await bots();
    expect(await bench.judge(botRequest({ more: ';nonce="n"' }))).toBe('present');
    expect(await bench.judge(botRequest({ more: ';nonce="n"' }))).toBe('invalid signature_replayed');
  });

  test('a key before and after its time', async () => {
    const keys = [{ ...signer.jwk, nbf: NOW + 10, exp: NOW + 20 }];
    const bench = await createSignatureBench({ profiles: [], webBotAuth: botOptions() }, directoryOf(keys));
    expect(await bench.judge(botRequest())).toBe('invalid signature_key_unknown');
    bench.clock.wallSeconds = NOW + 10;
    expect(await bench.judge(botRequest())).toBe('present');
    bench.clock.wallSeconds = NOW + 20;
    expect(await bench.judge(botRequest())).toBe('invalid signature_key_unknown');
  });

  test.each([
    ['a private key', [{ ...signer.jwk, d: 'AAAA' }]],
    ['a shared secret', [{ kty: 'oct', k: 'AAAA' }]],
    ['a key for encryption', [{ ...signer.jwk, use: 'enc' }]],
    ['more keys than anybody needs', Array.from({ length: 33 }, () => signer.jwk)],
    ['no key', []],
    ['a key of Ed448', [{ kty: 'OKP', crv: 'Ed448', x: 'A'.repeat(76) }]],
  ])('a directory with %s', async (_, keys) => {
    const bench = await createSignatureBench({ profiles: [], webBotAuth: botOptions() }, directoryOf(keys));
    expect(await bench.judge(botRequest())).toBe('invalid signature_directory_refused');
  });
});

test('a key that says Ed25519, as RFC 9864 has it, is one', async () => {
  const bench = await createSignatureBench({ profiles: [], webBotAuth: botOptions() }, directoryOf([{ ...signer.jwk, alg: 'Ed25519' }]));
  expect(await bench.judge(botRequest())).toBe('present');
});

test('a key of RSA is used by the algorithm that both it and the configuration allow', async () => {
  const key = await createMessageKey('rsa-pss-sha512');
  const both = botOptions({ algorithms: ['rsa-pss-sha512', 'rsa-v1_5-sha256'] });
  const bench = await createSignatureBench({ profiles: [], webBotAuth: both }, directoryOf([key.jwk]));
  expect(await bench.judge(botRequest({ key }))).toBe('invalid signature_algorithm_mismatch');
  expect(await bench.judge(botRequest({ key, more: ';alg="rsa-pss-sha512"' }))).toBe('present');
  expect(await bench.judge(botRequest({ key, more: ';alg="rsa-v1_5-sha256"' }))).toBe('invalid signature_invalid');
});

test('what would be accepted is said to whoever has no good signature', async () => {
  const profile = profileOptions({ name: 'partners', tag: 'a"b', nonce: 'required', contentDigest: true });
  const bench = await createSignatureBench({ profiles: [profile], webBotAuth: botOptions() }, directoryOf([]));
  expect((await bench.identify({})).challenge.acceptSignature).toBe(
    'partners=("@method" "@authority" "content-digest");created;keyid;nonce;tag="a\\"b", ' +
      'web_bot_auth=("@authority" "signature-agent");created;expires;keyid;tag="web-bot-auth"',
  );
});
