import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CertificateOffer } from '../../src/contract/request.ts';
import { createAuthority, type MadeCertificate } from '../support/certificates.ts';
import { bindingOf, client, createDpopBench, httpFacts, proof, token } from './bound.ts';
import { codeOf, NOW, tokenOf } from './fixtures.ts';

const DAY = 86_400;
const daysToTests = Math.floor((NOW - Date.now() / 1000) / DAY);
const authority = createAuthority();
const certificate = (commonName: string): MadeCertificate =>
  authority.client({ commonName, uris: [], validDays: [daysToTests - 5, daysToTests + 30] });
const [mine, others] = [certificate('a'), certificate('b')];
const thumbprint = ({ der }: MadeCertificate): string => createHash('sha256').update(der).digest('base64url');
const hex = ({ der }: MadeCertificate): string => createHash('sha256').update(der).digest('hex');
const pem = (made: MadeCertificate): CertificateOffer => ({ form: 'pem', from: 'decide', pem: made.pem });
const fields = (made: MadeCertificate): CertificateOffer => ({
  form: 'fields',
  sha256: hex(made),
  subject: null,
  issuer: null,
  serial: null,
  uris: [],
  dns: [],
  notAfter: null,
});

const bench = await createDpopBench();
const bearer = `Bearer ${await token({ cnf: { 'x5t#S256': thumbprint(mine) } })}`;

describe('a token that is bound to a certificate', () => {
  test('with that certificate is matched: level 4', async () => {
    const identity = await bench.identify({ authorization: [bearer], certificates: [pem(mine)] });
    expect(tokenOf(identity).binding).toBe('matched');
    expect(identity.signals.binding).toEqual({
      status: 'present',
      value: { method: 'mtls', thumbprint: thumbprint(mine), proven: true, issuedAt: null, nonce: false },
    });
    expect(identity.evidence).toMatchObject({ methods: ['token', 'certificate', 'mtls_bound'], assurance: 4, binding: 'matched' });
    expect(identity.challenge.scheme).toBe('Bearer');
  });

  test('by XFCC: with the certificate level 4, by its hash alone level 3', async () => {
    const full: CertificateOffer = { form: 'xfcc', header: `Hash=${hex(mine)};Cert="${encodeURIComponent(mine.pem)}"` };
    const hash: CertificateOffer = { form: 'xfcc', header: `Hash=${hex(mine)};Subject="CN=a"` };
    const assuranceBy = async (offer: CertificateOffer) =>
      (await bench.identify({ authorization: [bearer], certificates: [offer] })).evidence.assurance;
    expect(await assuranceBy(full)).toBe(4);
    expect(await assuranceBy(hash)).toBe(3);
  });

  test('with its fields only it matches, and is no level 4', async () => {
    const identity = await bench.identify({ authorization: [bearer], certificates: [fields(mine)] });
    expect(bindingOf(identity)).toBe('matched');
    expect(identity.signals.binding).toMatchObject({ value: { proven: false } });
    expect(identity.evidence.assurance).toBe(3);
  });

  test('[asks 36] with another certificate, by PEM and by fields, and with none: token_binding_mismatch', async () => {
    const cases: [readonly CertificateOffer[], string][] = [
      [[pem(others)], 'certificate_mismatch'],
      [[fields(others)], 'certificate_mismatch'],
      [[{ form: 'pem', from: 'decide', pem: 'garbage' }], 'certificate_mismatch'],
      [[pem(mine), pem(others)], 'certificate_mismatch'],
      [[{ ...fields(mine), sha256: null, subject: 'CN=a' } as CertificateOffer], 'certificate_mismatch'],
      [[], 'certificate_required'],
    ];
    for (const [certificates, code] of cases) {
      const identity = await bench.identify({ authorization: [bearer], certificates });
      expect(codeOf(identity)).toBe('invalid token_binding_mismatch');
      expect(bindingOf(identity)).toBe(`invalid ${code}`);
      expect(identity).toMatchObject({ subject: { client: null }, evidence: { assurance: 0, binding: 'mismatched' }, tokenKey: null });
    }
  });

  test('a certificate from a gateway that is not trusted for it does not count', async () => {
    const identity = await bench.identify({ authorization: [bearer], certificates: [pem(mine)], trusts: ['forwarded'] });
    expect(bindingOf(identity)).toBe('invalid certificate_required');
  });

  test('an expired certificate still matches, and lifts nothing', async () => {
    const expired = authority.client({ commonName: 'a', uris: [], validDays: [daysToTests - 40, daysToTests - 5] });
    const authorization = [`Bearer ${await token({ cnf: { 'x5t#S256': thumbprint(expired) } })}`];
    const identity = await bench.identify({ authorization, certificates: [pem(expired)] });
    expect(identity.evidence).toMatchObject({ binding: 'matched', assurance: 2 });
  });
});

test('a certificate that cannot be judged just now makes the token unavailable, and its holder is not sent away for a new one', async () => {
  const certificates = {
    trustBundles: [{ name: 'ours', file: '/nowhere/ca.pem', trustDomain: null }],
    crl: { required: false, sources: [] },
    denied: { sha256: [], serials: [], file: null },
  };
  const without = await createDpopBench({}, { certificates });
  const cnf = { 'x5t#S256': thumbprint(mine) };
  const authorization = [`Bearer ${await token({ cnf })}`];
  for (const facts of [{ authorization }, { claims: { iss: 'https://as.example', sub: 'svc-a', cnf } }]) {
    const identity = await without.identify({ ...facts, certificates: [pem(mine)] });
    expect(codeOf(identity)).toBe('unavailable binding_unavailable');
    expect(bindingOf(identity)).toBe('unavailable certificate_unavailable');
    expect(identity).toMatchObject({ subject: { id: null, client: null }, evidence: { assurance: 0, binding: 'unchecked', methods: [] } });
  }
});

test('a token that is bound to a certificate and a key needs both', async () => {
  const both = await token({ cnf: { jkt: client.jkt, 'x5t#S256': thumbprint(mine) } });
  const facts = async () => ({ authorization: [`DPoP ${both}`], dpop: [await proof({ token: both })], http: httpFacts() });
  const identity = await bench.identify({ ...(await facts()), certificates: [pem(mine)] });
  expect(identity.evidence).toMatchObject({ methods: ['token', 'certificate', 'dpop', 'mtls_bound'], assurance: 4 });
  expect(bindingOf(await bench.identify({ ...(await facts()), certificates: [pem(others)] }))).toBe('invalid certificate_mismatch');
  expect(bindingOf(await bench.identify({ authorization: [`Bearer ${both}`], certificates: [pem(mine)] }))).toBe(
    'invalid dpop_scheme_required',
  );
  const withoutProof = await bench.identify({ authorization: [`DPoP ${both}`], http: httpFacts(), certificates: [pem(mine)] });
  expect(bindingOf(withoutProof)).toBe('invalid dpop_proof_missing');
});

test('a confirmation that is not known here is unchecked: the token stays what it is', async () => {
  for (const cnf of [{}, { kid: 'k' }, { jwk: client.jwk }, { jkt: null }]) {
    const identity = await bench.identify({ authorization: [`Bearer ${await token({ cnf })}`] });
    expect(bindingOf(identity)).toBe('absent binding_unchecked');
    expect(tokenOf(identity).binding).toBe('unchecked');
    expect(identity.evidence).toMatchObject({ assurance: 2, binding: 'unchecked' });
  }
});

describe('claims that the gateway asserts', () => {
  const claims = { iss: 'https://as.example', sub: 'svc-a', cnf: { 'x5t#S256': thumbprint(mine) } };
  test('are contradicted by another certificate, and lifted by none', async () => {
    expect(bindingOf(await bench.identify({ claims }))).toBe('absent binding_unchecked');
    expect(bindingOf(await bench.identify({ claims, certificates: [pem(others)] }))).toBe('invalid certificate_mismatch');
    const identity = await bench.identify({ claims, certificates: [pem(mine)] });
    expect(bindingOf(identity)).toBe('matched');
    expect(identity.evidence.assurance).toBe(0);
  });

  test('bound to a key: the proof was the gateway’s to judge', async () => {
    const identity = await bench.identify({ claims: { ...claims, cnf: { jkt: client.jkt } }, dpop: [await proof()], http: httpFacts() });
    expect(bindingOf(identity)).toBe('absent binding_unchecked');
    expect(codeOf(identity)).toBe('present');
  });
});
