import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseCertificate, pemBlocks } from '../../src/identify/certificate.ts';
import { parseKeyRing } from '../../src/identify/keys-jwk.ts';
import { parseSpiffeId } from '../../src/identify/spiffe-id.ts';
import { parseTrustBundle } from '../../src/identify/trust/bundle.ts';
import { benchOver, pem } from '../identify/trust/fixtures.ts';
import { vectorCases, vectorDocument } from '../support/vectors.ts';

const idSchema = z.object({
  id: z.string(),
  input: z.string(),
  valid: z.union([z.boolean(), z.literal('policy')]),
  trust_domain: z.string().optional(),
  path: z.string().optional(),
});

describe('SPIFFE ids', () => {
  const cases = vectorCases('spiffe', 'spiffe-ids.json', idSchema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { input, valid, trust_domain: trustDomain, path }) => {
    // `policy`: other spellings are refused, never kept as another identity
    expect(parseSpiffeId(input)).toEqual(valid === true ? { trustDomain, path } : null);
  });
});

describe('trust domains', () => {
  const cases = vectorCases('spiffe', 'trust-domains.json', idSchema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { input, valid }) => {
    expect(parseSpiffeId(input.startsWith('spiffe:') ? input : `spiffe://${input}`) !== null).toBe(valid);
  });
});

describe('limits of length', () => {
  const document = vectorDocument('spiffe', 'limits.json');
  if (document === null) return;
  const limits = z.object({ max_uri_bytes: z.number(), max_trust_domain_bytes: z.number() }).parse(document['facts']);

  test('of the whole id', () => {
    const longest = `spiffe://td/${'p'.repeat(limits.max_uri_bytes - 'spiffe://td/'.length)}`;
    expect(parseSpiffeId(longest)).not.toBeNull();
    expect(parseSpiffeId(`${longest}p`)).toBeNull();
  });

  test('of the trust domain', () => {
    const domain = 'd'.repeat(limits.max_trust_domain_bytes);
    expect(parseSpiffeId(`spiffe://${domain}/p`)).not.toBeNull();
    expect(parseSpiffeId(`spiffe://${domain}d/p`)).toBeNull();
  });
});

describe('X.509-SVIDs and bundles', () => {
  const schema = z.object({
    id: z.string(),
    content: z.string(),
    valid_svid: z.boolean().optional(),
    valid_bundle: z.union([z.boolean(), z.literal('policy')]).optional(),
    uri_sans: z.array(z.string()).optional(),
    not_after: z.string().optional(),
  });
  const cases = vectorCases('spiffe', 'svids-and-bundles.json', schema);

  const leaves = cases.filter(({ valid_svid: valid, id }) => valid !== undefined && !id.includes('intermediate'));
  test.each(leaves.map((one) => [one.id, one] as const))('%s', (_, { content, valid_svid: valid, uri_sans: uris, not_after: notAfter }) => {
    const certificate = parseCertificate(content);
    if (notAfter === undefined) return expect(certificate).toBeNull();
    expect(certificate?.uris).toEqual(uris);
    expect(certificate?.notAfter).toBe(Date.parse(notAfter) / 1000);
    expect(certificate?.spiffeId).toBe(valid === true ? uris?.[0] : null);
    expect(certificate?.svid === 'valid').toBe(valid);
  });

  // what is wrong above the leaf is judged where a bundle is configured; without one the chain is never called verified
  const chains = cases.filter(({ id }) => id.includes('intermediate'));
  test.each(chains.map((one) => [one.id, one] as const))('%s', async (_, { content, valid_svid: valid, not_after: notAfter }) => {
    expect(parseCertificate(content)?.chain).toBe('asserted');
    const [leaf = '', issuer = ''] = pemBlocks(content) ?? [];
    const bench = await benchOver(issuer, 'example.org');
    bench.clock.wallSeconds = Date.parse(notAfter ?? '') / 1000 - 60;
    expect(bench.judge(pem(leaf, issuer))).toBe(valid === true ? 'present verified unchecked' : 'invalid certificate_untrusted');
  });

  const anchors = cases.filter(({ id, valid_bundle: valid }) => valid !== undefined && !id.includes('jwtbundle'));
  test.each(anchors.map((one) => [one.id, one] as const))('as trust anchors: %s', (_, { content, valid_bundle: valid }) => {
    const parse = () => parseTrustBundle(Buffer.from(content)).length;
    // `policy`: a bundle without a key is an accident, and the last one is better
    if (valid === true) expect(parse()).toBe(content.split(content.startsWith('{') ? '"x509-svid"' : 'BEGIN').length - 1);
    else expect(parse).toThrow(/trust bundle/);
  });

  const bundles = cases.filter(({ id }) => id.endsWith('.json'));
  const algorithms = new Set(['RS256', 'ES256', 'ES384', 'ES512']);
  test.each(bundles.map((one) => [one.id, one] as const))('as keys: %s', (_, { content, valid_bundle: valid }) => {
    const kids = (): (string | null)[] => parseKeyRing(JSON.parse(content), algorithms, null, 'jwt_svid').keys.map(({ kid }) => kid);
    // a key without kid, or no key of the use jwt-svid: no token of this domain can be verified
    if (valid !== true) return expect(kids).toThrow(/key set/);
    expect(kids().every((kid) => kid !== null && kid !== '')).toBe(true);
    expect(kids().length).toBeLessThanOrEqual(content.split('"kty"').length - 1 - (content.split('"x509-svid"').length - 1));
  });
});
