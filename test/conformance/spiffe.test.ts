import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseCertificate } from '../../src/identify/certificate.ts';
import { parseKeyRing } from '../../src/identify/keys-jwk.ts';
import { parseSpiffeId } from '../../src/identify/spiffe-id.ts';
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

  const leaves = cases.filter(({ valid_svid: valid, id }) => valid !== undefined && !id.includes('wrong-intermediate'));
  test.each(leaves.map((one) => [one.id, one] as const))('%s', (_, { content, valid_svid: valid, uri_sans: uris, not_after: notAfter }) => {
    const certificate = parseCertificate(content);
    if (notAfter === undefined) return expect(certificate).toBeNull();
    expect(certificate?.uris).toEqual(uris);
    expect(certificate?.notAfter).toBe(Date.parse(notAfter) / 1000);
    expect(certificate?.spiffeId).toBe(valid === true ? uris?.[0] : null);
    expect(certificate?.svid === 'valid').toBe(valid);
  });

  // chains are the gateway's to verify: what is wrong above the leaf is not seen here, and the chain is never called verified
  const chains = cases.filter(({ id }) => id.includes('wrong-intermediate'));
  test.each(chains.map((one) => [one.id, one] as const))('%s', (_, { content }) => {
    expect(parseCertificate(content)?.chain).toBe('asserted');
  });

  const bundles = cases.filter(({ id }) => id.endsWith('.json'));
  const algorithms = new Set(['RS256', 'ES256', 'ES384', 'ES512']);
  test.each(bundles.map((one) => [one.id, one] as const))('%s', (id, { content, valid_bundle: valid }) => {
    const kids = (): (string | null)[] => parseKeyRing(JSON.parse(content), algorithms, null).keys.map(({ kid }) => kid);
    if (valid === 'policy') return expect(kids).toThrow(/key set/);
    // keys of use x509-svid are no token keys, and a key without kid only serves tokens without kid
    if (valid === false) expect(id).toMatch(/missing_kid/);
    expect(kids().every((kid) => kid === null || kid.length > 0)).toBe(true);
    expect(kids().length).toBeLessThanOrEqual(content.split('"kty"').length - 1 - (content.split('"x509-svid"').length - 1));
  });
});
