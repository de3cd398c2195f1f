import { describe, expect, test } from 'vitest';
import { createMemoryReplays } from '../../../src/stores/memory-replays.ts';
import type { ReplayMemory } from '../../../src/stores/replay-memory.ts';
import { contentDigest, createMessageKey, signedFields } from '../../support/http-signatures.ts';
import { keysAtHand, NOW } from '../fixtures.ts';
import { createSignatureBench, LINES, profileOptions, signatureOf, signedRequest, signer, stranger } from './signed.ts';

describe('a signed request', () => {
  test('is known by its key set, and shows what was covered', async () => {
    const bench = await createSignatureBench();
    expect(await bench.value(signedRequest({ more: ';nonce="n1"' }))).toEqual({
      profile: 'rfc9421',
      keySet: 'partners',
      agent: null,
      agentListed: false,
      clientId: 'partner-a',
      label: 'sig1',
      keyId: 'k1',
      tag: null,
      algorithm: 'ed25519',
      createdAt: NOW,
      expiresAt: null,
      covered: ['@method', '@authority'],
      nonce: true,
      digest: 'none',
    });
  });

  test('is identified by the key set: client, subject, method, assurance', async () => {
    const bench = await createSignatureBench();
    const identity = await bench.identify(signedRequest());
    expect(identity.subject).toMatchObject({ type: 'client', id: 'partner-a', asserted: false, client: 'partner-a' });
    expect(identity.evidence).toMatchObject({ methods: ['signature'], assurance: 2, agreement: { client: 'single' } });
  });

  test('by a key set of nobody in particular counts for less', async () => {
    const bench = await createSignatureBench({ profiles: [profileOptions({ clientId: null })] });
    const identity = await bench.identify(signedRequest());
    expect(identity.evidence).toMatchObject({ assurance: 1, agreement: { client: 'none' } });
    expect(identity.subject.client).toBeNull();
  });

  test.each(['ed25519', 'ecdsa-p256-sha256', 'ecdsa-p384-sha384', 'rsa-pss-sha512'])('by %s, named or not', async (algorithm) => {
    const key = await createMessageKey(algorithm);
    const bench = await createSignatureBench(undefined, keysAtHand([{ ...key.jwk, kid: 'k1' }]));
    expect(await bench.judge(signedRequest({ key }))).toBe('present');
    expect(await bench.judge(signedRequest({ key, more: `;alg="${algorithm}"` }))).toBe('present');
    expect(await bench.judge(signedRequest({ key, parameters: `;created=${NOW};keyid="${key.thumbprint}"` }))).toBe('present');
  });

  test('is not looked at where nothing is configured, and absent where there is none', async () => {
    const off = await createSignatureBench({});
    expect(await off.judge(signedRequest())).toBe('absent signature_unchecked');
    const bench = await createSignatureBench();
    expect(signatureOf(await bench.identify({}))).toBe('absent signature_missing');
    expect(off.identifier.status().signatures).toBeNull();
  });
});

const refused = async (signing: Parameters<typeof signedRequest>[0], profile: Parameters<typeof profileOptions>[0] = {}) => {
  const bench = await createSignatureBench({ profiles: [profileOptions(profile)] });
  return bench.judge(signedRequest(signing));
};
const at = (created: number, more = '') => `;created=${created}${more};keyid="k1"`;

describe('the parameters', () => {
  test.each([
    ['none in time', `;keyid="k1"`, 'signature_parameter_missing'],
    ['no key id', `;created=${NOW}`, 'signature_parameter_missing'],
    ['created in the future', at(NOW + 6), 'signature_created_in_future'],
    ['too old', at(NOW - 306), 'signature_too_old'],
    ['expired', at(NOW - 60, `;expires=${NOW - 5}`), 'signature_expired'],
    ['expires before it was made', at(NOW, `;expires=${NOW}`), 'signature_parameter_invalid'],
    ['longer than a day', at(NOW, `;expires=${NOW + 86_401}`), 'signature_lifetime_too_long'],
    ['created as a string', `;created="${NOW}";keyid="k1"`, 'signature_parameter_invalid'],
    ['created as a date', `;keyid="k1";created=@${NOW}`, 'signature_parameter_invalid'],
    ['created before time', ';created=-1;keyid="k1"', 'signature_parameter_invalid'],
    ['a key id that is a token', `;created=${NOW};keyid=k1`, 'signature_parameter_invalid'],
    ['an empty nonce', at(NOW, ';nonce=""'), 'signature_parameter_invalid'],
    ['a shared secret', at(NOW, ';alg="hmac-sha256"'), 'signature_algorithm_not_allowed'],
    ['an algorithm that is not allowed', at(NOW, ';alg="rsa-v1_5-sha256"'), 'signature_algorithm_not_allowed'],
    ['an algorithm that is not the key’s', at(NOW, ';alg="ecdsa-p256-sha256"'), 'signature_algorithm_mismatch'],
    ['a key that nobody has', `;created=${NOW};keyid="k2"`, 'signature_key_unknown'],
    ['a parameter twice', at(NOW, `;created=${NOW}`), 'signature_malformed'],
    ['a tag that is not ours', at(NOW, ';tag="other"'), 'signature_profile_unknown'],
  ])('%s', async (_, parameters, code) => {
    const status = code === 'signature_profile_unknown' ? 'absent' : 'invalid';
    expect(await refused({ parameters })).toBe(`${status} ${code}`);
  });

  test.each([
    ['ahead by the skew', at(NOW + 5)],
    ['as old as may be', at(NOW - 305)],
    ['expired within the skew', at(NOW - 60, `;expires=${NOW - 4}`)],
    ['with a parameter that is not known', at(NOW, ';x=1.5')],
    ['a day long', at(NOW, `;expires=${NOW + 86_400}`)],
  ])('%s is good', async (_, parameters) => {
    expect(await refused({ parameters })).toBe('present');
  });

  test('a nonce where one is required', async () => {
    expect(await refused({}, { nonce: 'required' })).toBe('invalid signature_parameter_missing');
  });
});

describe('somebody else', () => {
  test('signs with another key', async () => {
    expect(await refused({ key: stranger })).toBe('invalid signature_invalid');
  });

  test.each([
    ['another method', { method: 'POST' }],
    ['another host', { host: 'other.example' }],
    ['another port', { port: 8443 }],
  ])('sends it with %s', async (_, http) => {
    expect(await refused({ http })).toBe('invalid signature_invalid');
  });

  test('covers less than is asked for', async () => {
    expect(await refused({ lines: [['"@method"', 'GET']] })).toBe('invalid signature_coverage_insufficient');
  });

  test('@target-uri holds the authority, a query parameter does not hold the query', async () => {
    const lines = [['"@method"', 'GET'] as const, ['"@target-uri"', 'https://api.example/orders/42'] as const];
    expect(await refused({ lines })).toBe('present');
    const parameter = [...lines.slice(0, 1), ['"@query-param";name="a"', '1'] as const];
    expect(await refused({ lines: parameter, http: { queryRaw: 'a=1' } }, { components: ['@query'] })).toBe(
      'invalid signature_coverage_insufficient',
    );
  });
});

describe('two signatures', () => {
  const one = signedFields(signer, LINES, `;created=${NOW};keyid="k1"`, 'one');
  const offer = (input: string[], signature: string[]) => signedRequest({ offer: { input, signature } });

  test('by keys of ours leave open who signed', async () => {
    const two = signedFields(signer, LINES, `;created=${NOW};keyid="${signer.thumbprint}"`, 'two');
    const bench = await createSignatureBench();
    expect(await bench.judge(offer([one.input, two.input], [one.signature, two.signature]))).toBe('invalid signature_multiple');
  });

  test('of which one is by a stranger: ours counts, wherever it stands', async () => {
    const other = signedFields(stranger, LINES, `;created=${NOW};keyid="else"`, 'two');
    const bench = await createSignatureBench();
    expect(await bench.judge(offer([one.input, other.input], [one.signature, other.signature]))).toBe('present');
    expect(await bench.judge(offer([`${other.input}, ${one.input}`], [one.signature, other.signature]))).toBe('present');
  });

  test('of which one is the other in another writing of the same bytes', async () => {
    const bench = await createSignatureBench();
    const last = one.signature.at(-4) ?? '';
    const other = String.fromCharCode(last.charCodeAt(0) + 1);
    const text = one.signature.slice(0, -4) + other + one.signature.slice(-3);
    expect(Buffer.from(text.slice(5, -1), 'base64')).toEqual(Buffer.from(one.signature.slice(5, -1), 'base64'));
    expect(await bench.judge(offer([one.input], [text]))).toBe('invalid signature_malformed');
  });

  test('with labels exchanged, missing, or twice', async () => {
    const two = signedFields(stranger, LINES, `;created=${NOW};keyid="else"`, 'two');
    const swapped = [one.signature.replace('one=', 'two='), two.signature.replace('two=', 'one=')];
    const bench = await createSignatureBench();
    expect(await bench.judge(offer([one.input, two.input], swapped))).toBe('invalid signature_invalid');
    expect(await bench.judge(offer([one.input], [two.signature]))).toBe('invalid signature_incomplete');
    expect(await bench.judge(offer([one.input], []))).toBe('invalid signature_incomplete');
    expect(await bench.judge(offer([], [one.signature]))).toBe('invalid signature_incomplete');
    expect(await bench.judge(offer([one.input, one.input], [one.signature]))).toBe('invalid signature_malformed');
    expect(await bench.judge(offer([one.input], [one.signature, one.signature]))).toBe('invalid signature_malformed');
  });
});

describe('the body', () => {
  const BODY = '{"a":1}';
  const digest = contentDigest(BODY);
  const request = (header: string, body: string | null, line = header) =>
    signedRequest({
      lines: [...LINES, ['"content-digest"', line]],
      http: {
        headers: new Map([['content-digest', [header]]]),
        body: { status: 'parsed', reason: null, contentType: null, size: 7, json: {} },
      },
      offer: { body: body === null ? null : Buffer.from(body) },
    });

  test.each([
    ['as it was signed', request(digest, BODY), 'matched'],
    ['by SHA-512', request(contentDigest(BODY, 'sha-512'), BODY), 'matched'],
    ['that the gateway did not hand on', request(digest, null), 'unchecked'],
    ['by an algorithm that nobody should use', request('md5=:AAAA:', BODY), 'unchecked'],
  ])('%s', async (_, facts, digest) => {
    const bench = await createSignatureBench();
    expect((await bench.value(facts)).digest).toBe(digest);
  });

  test.each([
    ['another one', request(digest, '{"a":2}'), 'signature_digest_mismatch'],
    ['one of two digests is wrong', request(`${digest}, ${contentDigest('x', 'sha-512')}`, BODY), 'signature_digest_mismatch'],
    ['no dictionary', request('?', BODY), 'signature_digest_invalid'],
    ['no bytes', request('sha-256=1', BODY), 'signature_digest_invalid'],
  ])('%s is refused', async (_, facts, code) => {
    const bench = await createSignatureBench();
    expect(await bench.judge(facts)).toBe(`invalid ${code}`);
  });

  test('has to be covered where that is asked for and there is one', async () => {
    const bench = await createSignatureBench({ profiles: [profileOptions({ contentDigest: true })] });
    expect(await bench.judge(request(digest, BODY))).toBe('present');
    expect(await bench.judge(signedRequest())).toBe('present');
    const body = { status: 'unparsed', reason: null, contentType: null, size: 7, json: null } as const;
    expect(await bench.judge(signedRequest({ http: { body } }))).toBe('invalid signature_coverage_insufficient');
    // no gateway says how long a chunked body is
    const chunked = { headers: new Map([['transfer-encoding', ['chunked']]]) };
    expect(await bench.judge(signedRequest({ http: chunked }))).toBe('invalid signature_coverage_insufficient');
    const lines = LINES.map(([name, value]) => [name, value === 'GET' ? 'POST' : value] as const);
    expect(await bench.judge(signedRequest({ lines, http: { method: 'POST' } }))).toBe('invalid signature_coverage_insufficient');
    const none = { status: 'absent', reason: null, contentType: null, size: 0, json: null } as const;
    expect(await bench.judge(signedRequest({ lines, http: { method: 'POST', body: none } }))).toBe('present');
  });
});

describe('used again', () => {
  test('a nonce is refused, by whatever request of the same signature', async () => {
    const bench = await createSignatureBench();
    const facts = signedRequest({ more: ';nonce="n1"' });
    expect(await bench.judge(facts)).toBe('present');
    expect(await bench.judge(facts)).toBe('invalid signature_replayed');
    expect(await bench.judge(signedRequest({ more: ';nonce="n2"' }))).toBe('present');
  });

  test('without a nonce it comes again, and the value says so', async () => {
    const bench = await createSignatureBench();
    expect((await bench.value(signedRequest())).nonce).toBe(false);
    expect(await bench.judge(signedRequest())).toBe('present');
  });

  test('a forged one does not use up the nonce of the true one', async () => {
    const bench = await createSignatureBench();
    expect(await bench.judge(signedRequest({ key: stranger, more: ';nonce="n1"' }))).toBe('invalid signature_invalid');
    expect(await bench.judge(signedRequest({ more: ';nonce="n1"' }))).toBe('present');
  });

  test('a memory that is younger than the signature does not say', async () => {
    const signatureReplays = createMemoryReplays({ entriesMax: 10, startedAtMs: NOW * 1000 });
    const bench = await createSignatureBench(undefined, { signatureReplays });
    expect(await bench.judge(signedRequest({ more: ';nonce="n1"' }))).toBe('unavailable replay_memory_too_young');
    expect(await bench.judge(signedRequest({ parameters: at(NOW + 5, ';nonce="n2"') }))).toBe('present');
  });

  test('a memory elsewhere is asked within what is left of the deadline', async () => {
    const asked: number[] = [];
    const memory = createMemoryReplays({ entriesMax: 10, startedAtMs: 0 });
    const signatureReplays: ReplayMemory = {
      ...memory,
      sinceMs: null,
      remember: async (key, nowMs, untilMs, budgetMs) => {
        asked.push(untilMs - nowMs, budgetMs);
        return memory.remember(key, nowMs, untilMs, budgetMs);
      },
    };
    const bench = await createSignatureBench(undefined, { signatureReplays });
    const facts = { ...signedRequest({ more: ';nonce="n1"' }), deadlineMs: 100 };
    expect(await bench.judge(facts)).toBe('present');
    expect(await bench.judge(facts)).toBe('invalid signature_replayed');
    const [life = 0, budget = 0] = asked;
    expect(life).toBe(305_001);
    expect(budget).toBeGreaterThan(0);
    expect(budget).toBeLessThanOrEqual(80);
  });

  test('a full memory says so', async () => {
    const signatureReplays = createMemoryReplays({ entriesMax: 0, startedAtMs: 0 });
    const bench = await createSignatureBench(undefined, { signatureReplays });
    expect(await bench.judge(signedRequest({ more: ';nonce="n1"' }))).toBe('unavailable store_full');
  });
});

describe('bounds', () => {
  test('failures are paid for by the address', async () => {
    const bench = await createSignatureBench(undefined, {}, { verificationBudget: { failuresPerMinute: 2, addressesMax: 10 } });
    const forged = signedRequest({ key: stranger });
    expect(await bench.judge(forged)).toBe('invalid signature_invalid');
    expect(await bench.judge(forged)).toBe('invalid signature_invalid');
    expect(await bench.judge(signedRequest())).toBe('unavailable verification_budget_exhausted');
    expect(await bench.judge({ ...signedRequest(), ip: '198.51.100.1' })).toBe('present');
  });

  test('fields that are too long are not looked at', async () => {
    const bench = await createSignatureBench();
    expect(await bench.judge(signedRequest({ more: `;x="${'a'.repeat(8192)}"` }))).toBe('invalid signature_too_large');
    const lines = Array.from({ length: 65 }, (_, index) => [`"x-${index}"`, '1'] as const);
    expect(await bench.judge(signedRequest({ lines }))).toBe('invalid signature_too_large');
  });

  test('keys that could not be fetched are ours to mend', async () => {
    const bench = await createSignatureBench(undefined, { httpFetch: () => Promise.reject(new Error('down')) });
    expect(await bench.judge(signedRequest())).toBe('unavailable keys_unavailable');
  });
});
