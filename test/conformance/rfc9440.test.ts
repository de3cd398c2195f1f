import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { CertificateHeader } from '../../src/contract/pep.ts';
import { receiveHttpFacts } from '../../src/endpoints/request-facts.ts';
import { readCertificate } from '../../src/identify/certificate.ts';
import { createCertificateReader } from '../../src/identify/certificate-offers.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { vectorCases, vectorDocument } from '../support/vectors.ts';

const HEADER: CertificateHeader = { name: 'client-cert', form: 'rfc9440', chainName: 'client-cert-chain' };
const reader = createCertificateReader({ entriesMax: 0 }, createBoundedCache);

/** As the border receives the header lines and the stage reads them. */
function read(lines: readonly (readonly [string, string])[], trusted: boolean) {
  const { certificate, flags } = receiveHttpFacts(
    {
      method: 'GET',
      scheme: 'https',
      authority: 'a.example',
      target: '/',
      headers: lines,
      body: { bytes: null, truncated: false, size: null },
    },
    {
      name: 'edge',
      trusts: new Set(trusted ? ['client_certificate'] : []),
      policies: ['default'],
      certificateHeader: HEADER,
      forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
    },
  );
  return { flags, ...reader.read(certificate === null ? [] : [certificate]) };
}

const base64url = (sha256: string | null | undefined): string => Buffer.from(sha256 ?? '', 'hex').toString('base64url');

describe('the example of RFC 9440 appendix A', () => {
  const document = vectorDocument('client-cert-rfc9440', 'rfc9440-example.json');
  if (document === null) return;
  const facts = z.object({ subject: z.string(), 'x5t#S256': z.string() });
  const leafFacts = facts.extend({ issuer: z.string(), serial: z.string(), not_before: z.string(), not_after: z.string() });
  const example = z
    .object({
      headers: z.record(z.string(), z.string()),
      pem: z.array(z.string()),
      facts: z.object({ client_cert: leafFacts, chain: z.array(facts) }),
    })
    .parse(document);
  const { signal, issuers } = read(Object.entries(example.headers), true);

  test('Client-Cert', () => {
    if (signal.status !== 'present') return expect.fail(signal.code);
    const wanted = example.facts.client_cert;
    expect(signal.value).toMatchObject({
      subject: wanted.subject,
      issuer: wanted.issuer,
      serial: wanted.serial,
      notBefore: Date.parse(wanted.not_before) / 1000,
      notAfter: Date.parse(wanted.not_after) / 1000,
    });
    expect(base64url(signal.value.sha256)).toBe(wanted['x5t#S256']);
  });

  test('Client-Cert-Chain', () => {
    expect(issuers.map((one) => base64url(readCertificate(one)?.sha256))).toEqual(example.facts.chain.map((one) => one['x5t#S256']));
  });

  test('the same certificates as PEM', () => {
    expect(example.pem.map((one) => readCertificate(one.trim())?.sha256)).toEqual(
      [example.facts.client_cert, ...example.facts.chain].map((one) => Buffer.from(one['x5t#S256'], 'base64url').toString('hex')),
    );
  });
});

describe('Client-Cert', () => {
  const schema = z.object({
    id: z.string(),
    value: z.string().optional(),
    lines: z.array(z.string()).optional(),
    peer: z.literal('untrusted').optional(),
    expect: z.enum(['accept', 'reject', 'policy', 'ignore-or-400']),
  });
  const cases = vectorCases('client-cert-rfc9440', 'client-cert-syntax-derived.json', schema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, one) => {
    const lines = one.lines ?? [one.value ?? ''];
    const { signal, flags } = read(
      lines.map((line) => ['Client-Cert', line] as const),
      one.peer === undefined,
    );
    // the one `policy` case has unknown parameters, which are ignored
    if (one.expect === 'accept' || one.expect === 'policy') expect(signal.status).toBe('present');
    else if (one.expect === 'reject') expect(signal).toEqual({ status: 'invalid', code: 'certificate_malformed' });
    else expect({ status: signal.status, flags }).toEqual({ status: 'absent', flags: ['untrusted_client_certificate'] });
  });
});
