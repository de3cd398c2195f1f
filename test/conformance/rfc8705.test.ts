import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/identify/certificate.ts';
import { vectorDocument } from '../support/vectors.ts';

describe('the certificate of RFC 8705 appendix A', () => {
  const document = vectorDocument('oauth', 'rfc8705-x5t-s256.json');
  if (document === null) return;
  test('has the published thumbprint', () => {
    const value = parseCertificate(String(document['certificate_pem']));
    expect(Buffer.from(value?.sha256 ?? '', 'hex').toString('base64url')).toBe(document['x5t#S256']);
  });
});
