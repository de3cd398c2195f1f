import { generateKeyPairSync, sign } from 'node:crypto';
import { exportJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { bindingOf, client, createDpopBench, httpFacts, proof, stranger, unboundToken, withProof } from './bound.ts';
import { codeOf, NOW } from './fixtures.ts';

const privateJwk = await exportJWK(client.privateKey);
const bench = await createDpopBench();
const judge = async (text: string, more = {}, made = bench) => bindingOf(await made.identify(withProof(text, more)));

describe('a proof', () => {
  test('is one', async () => {
    expect(await judge('', { dpop: [] })).toBe('invalid dpop_proof_missing');
    expect(await judge('', { dpop: [await proof(), await proof()] })).toBe('invalid dpop_proof_multiple');
    const joined = `${await proof()}, ${await proof()}`;
    expect(await judge(joined)).toBe('invalid dpop_proof_multiple');
  });

  test.each<[string, string, Parameters<typeof proof>[0]]>([
    ['another type', 'dpop_type_invalid', { header: { typ: 'jwt' } }],
    ['no type', 'dpop_type_invalid', { header: { typ: undefined } }],
    ['a type of another case is the same', 'matched', { header: { typ: 'DPOP+JWT' } }],
    ['a private key in its header', 'dpop_key_invalid', { header: { jwk: privateJwk } }],
    ['no key', 'dpop_key_invalid', { header: { jwk: undefined } }],
    ['a key that is no object', 'dpop_key_invalid', { header: { jwk: 'key' } }],
    ['a shared key', 'dpop_key_invalid', { header: { jwk: { kty: 'oct', k: 'AAAA' } } }],
    ['a key of another use', 'dpop_key_invalid', { header: { jwk: { ...client.jwk, use: 'enc' } } }],
    ['a key of another algorithm', 'dpop_key_invalid', { header: { jwk: { ...client.jwk, alg: 'ES384' } } }],
    ['a key with padding', 'dpop_key_invalid', { header: { jwk: { ...client.jwk, x: `${client.jwk.x}=` } } }],
    ['a point off the curve', 'dpop_key_invalid', { header: { jwk: { ...client.jwk, y: client.jwk.x } } }],
    ['a kid only', 'dpop_key_invalid', { header: { jwk: undefined, kid: 'k1' } }],
    ['no jti', 'dpop_claim_invalid', { claims: { jti: undefined } }],
    ['an empty jti', 'dpop_claim_invalid', { jti: '' }],
    ['a jti that is no text', 'dpop_claim_invalid', { claims: { jti: 7 } }],
    ['a jti without end', 'dpop_claim_invalid', { jti: 'j'.repeat(513) }],
    ['no htm', 'dpop_claim_invalid', { claims: { htm: undefined } }],
    ['no htu', 'dpop_claim_invalid', { claims: { htu: undefined } }],
    ['no iat', 'dpop_claim_invalid', { claims: { iat: undefined } }],
    ['an iat that is text', 'dpop_claim_invalid', { claims: { iat: String(NOW) } }],
    ['an iat in milliseconds', 'dpop_claim_invalid', { iat: NOW * 1000 }],
    ['a nonce that is no text', 'dpop_claim_invalid', { claims: { nonce: 7 } }],
    ['an ath that is no text', 'dpop_claim_invalid', { claims: { ath: null } }],
    ['another method', 'dpop_method_mismatch', { htm: 'POST' }],
    ['the method in another case', 'dpop_method_mismatch', { htm: 'get' }],
    ['an iat before the window', 'dpop_expired', { iat: NOW - 66 }],
    ['an iat at the edge of the window', 'matched', { iat: NOW - 65 }],
    ['an iat a little ahead', 'matched', { iat: NOW + 5 }],
    ['an iat ahead', 'dpop_issued_in_future', { iat: NOW + 6 }],
    ['[asks 37] no ath', 'dpop_token_mismatch', { token: null }],
    ['[asks 37] the ath of another token', 'dpop_token_mismatch', { token: unboundToken }],
    ['the signature of another key', 'dpop_signature_invalid', { signer: stranger.privateKey }],
    ['a nonce that nobody asked for', 'matched', { claims: { nonce: 'mine' } }],
  ])('with %s: %s', async (_what, code, parts) => {
    const found = await judge(await proof(parts));
    expect(found).toBe(code === 'matched' ? code : `invalid ${code}`);
  });

  test('[asks 37] by another key, however good in itself', async () => {
    expect(await judge(await proof({}, stranger))).toBe('invalid dpop_key_mismatch');
  });

  test('by an algorithm that is not in the list, or by a shared secret', async () => {
    const made = await createDpopBench({ algorithms: ['ES384'] });
    expect(await judge(await proof(), {}, made)).toBe('invalid dpop_algorithm_not_allowed');
    const [, payload = ''] = (await proof()).split('.');
    for (const alg of ['none', 'HS256']) {
      const header = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg, jwk: client.jwk })).toString('base64url');
      expect(await judge(`${header}.${payload}.`)).toBe('invalid dpop_algorithm_not_allowed');
    }
  });

  test.each([{ crit: ['b64'], b64: false }, { b64: true }, { enc: 'A128GCM' }])('with the extension %j', async (extension) => {
    const text = JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk, ...extension });
    const [, payload = '', signature = ''] = (await proof()).split('.');
    expect(await judge(`${Buffer.from(text).toString('base64url')}.${payload}.${signature}`)).toBe('invalid dpop_malformed');
  });

  test('with a name twice, however it is spelt', async () => {
    const text = `{"typ":"dpop+jwt","alg":"ES256","\\u0061lg":"none","jwk":${JSON.stringify(client.jwk)}}`;
    const [header = '', , signature = ''] = (await proof()).split('.');
    const [, payload = ''] = (await proof()).split('.');
    expect(await judge(`${Buffer.from(text).toString('base64url')}.${payload}.${signature}`)).toBe('invalid dpop_malformed');
    const claims = Buffer.from(`{"jti":"a","jti":"b","htm":"GET","htu":"https://api.example/orders/42","iat":${NOW}}`).toString(
      'base64url',
    );
    expect(await judge(`${header}.${claims}.${signature}`)).toBe('invalid dpop_malformed');
  });

  test('by an RSA key that is too short', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const header = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'RS256', jwk: await exportJWK(publicKey) })).toString('base64url');
    const [, payload = ''] = (await proof()).split('.');
    const signature = sign('sha256', Buffer.from(`${header}.${payload}`), privateKey).toString('base64url');
    expect(await judge(`${header}.${payload}.${signature}`)).toBe('invalid dpop_key_invalid');
  });

  test('that is too long, or no JWS', async () => {
    expect(await judge(await proof({ claims: { padding: 'x'.repeat(9000) } }))).toBe('invalid dpop_malformed');
    for (const text of ['', 'a', 'a.b', 'a.b.c', 'a.b.c.d', '..', `${await proof()}.`])
      expect(await judge(text)).toBe('invalid dpop_malformed');
  });
});

describe('the address that a proof names', () => {
  test.each([
    ['[asks 34] without the query of the request', 'https://api.example/orders/42', 'matched'],
    ['[asks 34] with a query and a fragment', 'https://api.example/orders/42?a=1#b', 'matched'],
    ['in another case', 'HTTPS://API.EXAMPLE/orders/42', 'matched'],
    ['with the default port', 'https://api.example:443/orders/42', 'matched'],
    ['with an empty port', 'https://api.example:/orders/42', 'matched'],
    ['with a dot behind the host', 'https://api.example./orders/42', 'matched'],
    ['with unreserved characters escaped', 'https://api.example/%6frders/4%32', 'matched'],
    ['with dot segments', 'https://api.example/x/../orders/./42', 'matched'],
    ['[asks 34] of another path', 'https://api.example/orders/43', 'invalid'],
    ['with a slash at its end', 'https://api.example/orders/42/', 'invalid'],
    ['with the path in another case', 'https://api.example/Orders/42', 'invalid'],
    ['with an escaped slash', 'https://api.example/orders%2F42', 'invalid'],
    ['with a double slash', 'https://api.example//orders/42', 'invalid'],
    ['of another host', 'https://evil.example/orders/42', 'invalid'],
    ['of a host that begins alike', 'https://api.example.evil/orders/42', 'invalid'],
    ['by userinfo', 'https://api.example@evil.example/orders/42', 'invalid'],
    ['with userinfo', 'https://user@api.example/orders/42', 'invalid'],
    ['of another port', 'https://api.example:8443/orders/42', 'invalid'],
    ['of a port beyond all', 'https://api.example:99999/orders/42', 'invalid'],
    ['of another scheme', 'http://api.example/orders/42', 'invalid'],
    ['with a backslash', 'https://api.example\\orders\\42', 'invalid'],
    ['with a blank', ' https://api.example/orders/42', 'invalid'],
    ['with a line break', 'https://api.example/orders/42\n', 'invalid'],
    ['without scheme and host', '/orders/42', 'invalid'],
    ['that is empty', '', 'invalid'],
  ])('%s', async (_what, htu, expected) => {
    expect(await judge(await proof({ htu }))).toBe(expected === 'matched' ? 'matched' : 'invalid dpop_uri_mismatch');
  });

  test('the host of the request is normalised in the same way', async () => {
    const facts = { http: httpFacts({ port: 443, pathRaw: '/%6Frders/./42' }) };
    expect(await judge(await proof(), facts)).toBe('matched');
    expect(await judge(await proof({ htu: 'https://[2001:DB8::0:1]/orders/42' }), { http: httpFacts({ host: '[2001:db8::1]' }) })).toBe(
      'matched',
    );
    expect(await judge(await proof({ htu: 'https://api.example' }), { http: httpFacts({ pathRaw: '' }) })).toBe('matched');
  });

  test('a gateway that is not trusted for forwarded does not say where it is reached: the public origins do', async () => {
    const trusts = ['client_certificate'] as const;
    const http = httpFacts({ scheme: 'http', host: 'evil.example' });
    const made = await createDpopBench({}, { publicOrigins: ['https://api.example', 'https://api.example:8443'] });
    expect(await judge(await proof(), { trusts, http }, made)).toBe('matched');
    expect(await judge(await proof({ htu: 'https://api.example:8443/orders/42' }), { trusts, http }, made)).toBe('matched');
    expect(await judge(await proof({ htu: 'http://evil.example/orders/42' }), { trusts, http }, made)).toBe('invalid dpop_uri_mismatch');
    // the word of one that is trusted counts alone
    expect(await judge(await proof(), { http: httpFacts({ host: 'other.example' }) }, made)).toBe('invalid dpop_uri_mismatch');
  });

  test('where nobody says it, it is our failure and not the client’s', async () => {
    const identity = await bench.identify(withProof(await proof(), { trusts: [] }));
    expect(codeOf(identity)).toBe('unavailable binding_unavailable');
    expect(bindingOf(identity)).toBe('unavailable public_origin_unknown');
    expect(identity.evidence).toMatchObject({ binding: 'unchecked', assurance: 0, methods: [] });
    expect(await judge(await proof(), { http: httpFacts({ scheme: '' }) })).toBe('unavailable public_origin_unknown');
  });
});
