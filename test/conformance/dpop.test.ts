import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readConfirmation } from '../../src/identify/confirmation.ts';
import { createDpopVerifier, type DpopVerifier } from '../../src/identify/dpop.ts';
import { accessTokenHash, parseProof } from '../../src/identify/dpop-proof.ts';
import { parseTargetUri } from '../../src/identify/target-uri.ts';
import { parseTokenText } from '../../src/identify/token-text.ts';
import { createVerificationBudget } from '../../src/identify/verification-budget.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import { bound, createDpopBench, httpFacts, proof } from '../identify/bound.ts';
import { createTestClock, identityOptions, makeRequest } from '../identify/fixtures.ts';
import { vectorCases, vectorDocument } from '../support/vectors.ts';

/* The proofs of RFC 9449, as published and under changed circumstances. */

const CASE = z.looseObject({
  id: z.string(),
  proof: z.string(),
  htm: z.string(),
  htu: z.string(),
  now: z.int(),
  jkt: z.string(),
  expect: z.enum(['accept', 'reject']),
  access_token: z.string().optional(),
  send_twice: z.boolean().optional(),
  /** The `DPoP` headers, where there is not just the proof. */
  headers: z.array(z.string()).optional(),
  /** `cnf.jkt` of the token, where it is not the proof's key. */
  token_cnf_jkt: z.string().optional(),
  authorization_scheme: z.string().optional(),
});
type Case = z.infer<typeof CASE>;

const clock = createTestClock();

/** With the window of the vectors, 300 s, and nothing beyond it. */
function createVerifier(): DpopVerifier {
  const options = identityOptions([]);
  return createDpopVerifier(
    { publicOrigins: [], dpop: { ...options.dpop, ageMaxSeconds: 300, clockSkewSeconds: 0 } },
    {
      clock,
      createCache: createBoundedCache,
      replays: createMemoryReplays({ entriesMax: 10, startedAtMs: 0 }),
      budget: createVerificationBudget(options.verificationBudget, createBoundedCache),
      accountOf: ({ source }) => source.ip,
    },
  );
}

async function verify(one: Case, verifier: DpopVerifier): Promise<string> {
  const target = new URL(one.htu);
  const port = target.port === '' ? null : Number(target.port);
  const http = httpFacts({ method: one.htm, scheme: 'https', host: target.hostname, port, pathRaw: target.pathname });
  const request = { ...makeRequest(clock, { dpop: one.headers ?? [one.proof], http }), receivedAtMs: one.now * 1000 };
  const outcome = await verifier.verify(request, accessTokenHash(one.access_token ?? ''), one.token_cnf_jkt ?? one.jkt);
  return outcome.status === 'proven' ? 'accept' : outcome.code;
}

describe('the proofs of RFC 9449', () => {
  const cases = vectorCases('oauth', 'dpop-rfc9449.json', CASE);
  test.each(cases.filter((one) => one.access_token !== undefined))('$id', async (one) => {
    expect(await verify(one, createVerifier())).toBe(one.expect);
  });

  // proofs for a token endpoint have no ath: a resource refuses them for that alone
  test.each(cases.filter((one) => one.access_token === undefined))('$id, which is for no resource', async (one) => {
    expect(await verify(one, createVerifier())).toBe('dpop_token_mismatch');
    const proof = parseProof(one.proof, new Set(['ES256']), { get: () => undefined, set: () => undefined });
    if (typeof proof === 'string') return expect.fail(proof);
    expect(proof).toMatchObject({ htm: one.htm, htu: one.htu, iat: one.now, ath: null, key: { thumbprint: one.jkt } });
    expect(proof.isSigned()).toBe(true);
    expect(parseTargetUri(proof.htu)).toEqual(parseTargetUri(one.htu));
  });

  test('the bound token of section 6.1 names the key by its thumbprint', () => {
    const fixture = z.looseObject({ bound_access_token: z.string(), bound_access_token_jkt: z.string() });
    const document = vectorDocument('oauth', 'dpop-rfc9449.json');
    if (document === null) return;
    const { bound_access_token: token, bound_access_token_jkt: jkt } = fixture.parse(document['fixture']);
    const text = parseTokenText(token);
    if (typeof text === 'string') return expect.fail(text);
    expect(readConfirmation(text.claims)).toEqual({ jkt, certificate: null });
  });
});

const CODES: Readonly<Record<string, string>> = {
  'wrong-htm': 'dpop_method_mismatch',
  'wrong-htu-host': 'dpop_uri_mismatch',
  'htu-other-port': 'dpop_uri_mismatch',
  'too-old': 'dpop_expired',
  'wrong-access-token': 'dpop_token_mismatch',
  'no-ath-proof-with-token': 'dpop_token_mismatch',
  'signature-changed': 'dpop_signature_invalid',
  'replayed-jti': 'dpop_replayed',
  'jkt-mismatch': 'dpop_key_mismatch',
  'two-headers': 'dpop_proof_multiple',
};

describe('the same proof under changed circumstances', () => {
  const cases = vectorCases('oauth', 'dpop-derived.json', CASE);

  // the scheme is judged together with the token, before any proof is looked at
  test.each(cases.filter((one) => one.authorization_scheme !== undefined))('$id: $expect', async (one) => {
    const bench = await createDpopBench();
    const identity = await bench.identify({
      authorization: [`${one.authorization_scheme} ${bound}`],
      dpop: [await proof()],
      http: httpFacts(),
    });
    expect(identity.signals.token).toEqual({ status: 'invalid', code: 'token_binding_mismatch' });
  });

  test.each(cases.filter((one) => one.authorization_scheme === undefined))('$id: $expect', async (one) => {
    const verifier = createVerifier();
    if (one.send_twice === true) expect(await verify(one, verifier)).toBe('accept');
    const found = await verify(one, verifier);
    if (one.expect === 'accept') expect(found).toBe('accept');
    else expect(found).toEqual(CODES[one.id] ?? expect.stringMatching(/^dpop_/));
  });
});

describe('the examples of RFC 8705', () => {
  const document = vectorDocument('oauth', 'rfc8705-x5t-s256.json');
  if (document === null) return;
  test('confirm by the hash of the certificate', () => {
    const examples = z.array(z.looseObject({ cnf: z.record(z.string(), z.json()).optional() })).parse(document['json_examples']);
    const confirmed = examples.filter(({ cnf }) => cnf !== undefined);
    expect(confirmed.length).toBeGreaterThan(0);
    for (const { cnf = {} } of confirmed) {
      expect(readConfirmation({ cnf })).toMatchObject({ jkt: null, certificate: { thumbprint: cnf['x5t#S256'] } });
    }
  });
});
