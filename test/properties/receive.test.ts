import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODES } from '../../src/contract/codes.ts';
import { type Pep, TRUSTS } from '../../src/contract/pep.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import { receiveDecide } from '../../src/endpoints/decide/receive.ts';
import { receiveCheck } from '../../src/endpoints/ext-authz/receive.ts';
import { createCertificateReader } from '../../src/identify/certificate-offers.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { createAuthority } from '../support/certificates.ts';
import { encodeCheck } from '../support/ext-authz-wire.ts';

/* What a gateway hands on of a client's request, of any values: a question or a code, and a gateway that is trusted for nothing hands on nothing. */

const leaf = createAuthority().client({ commonName: 'a', uris: ['spiffe://td.example/a'] });
const reader = createCertificateReader({ entriesMax: 0 }, createBoundedCache);
const FORMS = ['xfcc', 'rfc9440', 'pem_escaped', 'der_base64'] as const;

const pepOf = (trusts: Pep['trusts'], form: (typeof FORMS)[number]): Pep => ({
  name: 'edge',
  trusts,
  policies: ['default'],
  forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
  certificateHeader: { name: 'x-the-certificate', form, chainName: 'x-the-chain' },
});
const trusted = fc.constantFrom(...FORMS).map((form) => pepOf(new Set(TRUSTS), form));
const nobody = fc.constantFrom(...FORMS).map((form) => pepOf(new Set(), form));

const name = fc.constantFrom(
  'authorization',
  'Authorization',
  'dpop',
  'DPoP',
  'x-the-certificate',
  'X-The-Certificate',
  'x_the_certificate',
  'x-the-chain',
  'x-forwarded-client-cert',
  'client-cert',
  'host',
  'x-forwarded-for',
  '__proto__',
);
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    encodeURIComponent(leaf.pem),
    `:${leaf.der.toString('base64')}:`,
    leaf.der.toString('base64'),
    'URI=spiffe://td.example/a',
    'Bearer a.b.c',
  ),
);
const header = fc.tuple(fc.oneof({ weight: 9, arbitrary: name }, fc.constantFrom(':path', 'a b', '')), value);
/** Now and then anything else. */
const mostly = <T>(good: fc.Arbitrary<T>) => fc.oneof({ weight: 20, arbitrary: good }, fc.jsonValue());

/** What every question holds to, whatever it was made of. */
function checkQuestion(request: DecisionRequest, pep: Pep): void {
  const { authorization, dpop, certificates, claims } = request.credentials;
  for (const one of [...authorization, ...dpop]) expect(typeof one).toBe('string');
  // reading them throws nothing either
  reader.read(certificates);
  for (const hidden of ['authorization', 'dpop', 'x-the-certificate', 'x-the-chain', 'x_the_certificate', 'client-cert', 'host']) {
    expect(request.http?.headers.has(hidden) ?? false, hidden).toBe(false);
  }
  if (pep.trusts.size > 0) return;
  expect(certificates).toEqual([]);
  expect([claims, request.subject, request.source.ip, request.tls.ja4, request.pepRate]).toEqual([null, null, null, null, null]);
}

const asked = (pep: Pep) => ({ id: 'id', pep, receivedAtMs: 0, deadlineAtMs: 0, explain: false });

describe('/decide', () => {
  const request = fc.record(
    {
      method: fc.oneof(fc.constantFrom('GET', 'get'), fc.string({ minLength: 1, maxLength: 10 })),
      path: fc.oneof(fc.constantFrom('/', '/a?b=c', '*'), fc.string({ unit: 'binary', minLength: 1 })),
      scheme: fc.constantFrom('https', 'http'),
      host: fc.oneof(fc.constantFrom('api.example', 'API.example:443', '[::1]'), fc.string({ unit: 'binary' })),
      headers: fc.oneof(
        fc.array(header).map((pairs) => Object.fromEntries(pairs)),
        fc.dictionary(name, mostly(fc.array(value))),
      ),
    },
    { requiredKeys: ['method', 'path'] },
  );
  const fields = fc.record(
    { sha256: fc.string(), serial: fc.string(), uris: fc.array(fc.string()), not_after: fc.nat() },
    { requiredKeys: [] },
  );
  const members = fc.record(
    {
      request: mostly(request),
      certificate: mostly(fc.oneof(fc.record({ pem: fc.oneof(fc.constant(leaf.pem), fc.string()) }), fields)),
      token: mostly(fc.record({ claims: fc.dictionary(fc.string(), fc.jsonValue()) })),
      source: mostly(
        fc.record({ ip: fc.constantFrom('192.0.2.1', '::1', 'x'), forwarded_for: fc.array(fc.string()) }, { requiredKeys: [] }),
      ),
      tls: mostly(fc.record({ ja3: fc.string(), ja4: fc.string(), sni: fc.constantFrom('api.example', 'A') }, { requiredKeys: [] })),
      context: mostly(fc.dictionary(fc.string(), fc.string())),
      rate: mostly(fc.record({ count: fc.nat(), window_seconds: fc.integer({ min: 1, max: 60 }) })),
      subject: mostly(fc.record({ type: fc.constantFrom('user'), id: fc.string({ minLength: 1 }) })),
    },
    { requiredKeys: [] },
  );

  test.each([
    ['a trusted gateway', trusted],
    ['a gateway that is trusted for nothing', nobody],
  ])('of %s', (_, peps) => {
    let questions = 0;
    fc.assert(
      fc.property(members, peps, (body, pep) => {
        const received = receiveDecide(Buffer.from(JSON.stringify(body)), asked(pep));
        if ('refused' in received) {
          expect(Object.hasOwn(CODES, received.refused)).toBe(true);
          return;
        }
        questions++;
        checkQuestion(received, pep);
      }),
      { numRuns: 1000 },
    );
    expect(questions).toBeGreaterThan(100);
  });
});

describe('ext_authz', () => {
  const parts = fc.record(
    {
      http: fc.record({
        method: fc.string(),
        path: fc.string({ unit: 'binary' }),
        host: fc.string(),
        scheme: fc.string(),
        headers: fc.array(header),
      }),
      certificate: value,
      principal: fc.string(),
      sourceIp: fc.string(),
      sni: fc.string(),
    },
    { requiredKeys: ['http'] },
  );
  const claimsMetadata = { namespace: 'envoy.filters.http.jwt_authn', key: 'jwt_payload' };
  const receive = (bytes: Uint8Array, pep: Pep): void => {
    const received = receiveCheck(bytes, asked(pep), claimsMetadata);
    if (received.ok) checkQuestion(received.request, pep);
    else expect(Object.hasOwn(CODES, received.code)).toBe(true);
  };

  test('of any parts', () => {
    fc.assert(
      fc.property(parts, fc.oneof(trusted, nobody), (any, pep) => receive(encodeCheck(any), pep)),
      { numRuns: 1000 },
    );
  });

  test('of any bytes, and of good ones that are changed or cut off', () => {
    const good = encodeCheck({
      http: { method: 'GET', path: '/', host: 'a', headers: [['authorization', 'Bearer a.b.c']] },
      certificate: encodeURIComponent(leaf.pem),
    });
    const damaged = fc
      .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(good.length))
      .map(([changes, length]) => {
        const copy = Buffer.from(good);
        for (const [at, byte] of changes) copy[at] = byte;
        return copy.subarray(0, length);
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array()), fc.oneof(trusted, nobody), (bytes, pep) => receive(bytes, pep)),
      { numRuns: 1000 },
    );
  });
});
