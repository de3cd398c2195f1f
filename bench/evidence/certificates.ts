import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateOffer } from '../../src/contract/request.ts';
import type { IdentityOptions } from '../../src/identify/options.ts';
import { createAuthority, type MadeCertificate } from '../../test/support/certificates.ts';
import { identifierOver, requestWith } from './identifier.ts';
import { type EvidenceKind, fresh, type PreparedKind, QUESTIONS } from './kind.ts';

/* Client certificates as gateways hand them on: read for the first time, and known; believed on the gateway's word, and verified here. */

const FORGETFUL: Partial<IdentityOptions> = { certificateCache: { entriesMax: 8 } };
const authority = createAuthority();
const leaves = Array.from({ length: QUESTIONS }, (_, index) =>
  authority.client({ commonName: `client-${index}`, uris: [`spiffe://td.example/client/${index}`] }),
);

type Offer = (leaf: MadeCertificate) => CertificateOffer;

const FORMS: Readonly<Record<string, Offer>> = {
  XFCC: ({ pem }) => ({
    form: 'xfcc',
    header: fresh(`By=spiffe://td.example/edge;Cert="${encodeURIComponent(pem)}";Subject="CN=client"`),
  }),
  'Client-Cert': ({ der }) => ({ form: 'rfc9440', header: fresh(`:${der.toString('base64')}:`), chain: null }),
  'ext_authz PEM': ({ pem }) => ({ form: 'pem', from: 'ext_authz', pem: fresh(encodeURIComponent(pem)) }),
  'nginx escaped PEM': ({ pem }) => ({ form: 'pem_escaped', header: fresh(encodeURIComponent(pem)), chain: null }),
  'HAProxy base64': ({ der }) => ({ form: 'der_base64', header: fresh(der.toString('base64')), chain: null }),
};

async function prepareForm(offer: Offer, known: boolean): Promise<PreparedKind> {
  const identifier = await identifierOver([], known ? {} : FORGETFUL);
  return prepared(identifier.identify, offer, 'asserted unchecked');
}

/** Up to a trust bundle, and looked up in a revocation list of 1,000 entries that must be there. */
async function prepareVerified(offer: Offer, known: boolean): Promise<PreparedKind> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-evidence-'));
  try {
    const [file, list] = [join(directory, 'ca.pem'), join(directory, 'ca.crl')];
    writeFileSync(file, authority.pem);
    writeFileSync(list, authority.crl({ revoked: Array.from({ length: 1000 }, (_, index) => `0a${index.toString(16).padStart(8, '0')}`) }));
    const source = { name: 'ours', file: list, url: null, refreshSeconds: 300, fetchTimeoutMs: 1000 };
    const certificates: IdentityOptions['certificates'] = {
      trustBundles: [{ name: 'ours', file, trustDomain: 'td.example' }],
      crl: { required: true, sources: [source] },
      denied: { sha256: [], serials: [], file: null },
    };
    const identifier = await identifierOver([], known ? { certificates } : { ...FORGETFUL, certificates });
    return prepared(identifier.identify, offer, 'verified good');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function prepared(identify: PreparedKind['identify'], offer: Offer, expected: string): PreparedKind {
  const offers = leaves.map((leaf) => () => offer(leaf));
  return {
    identify,
    question: (index) => requestWith({ certificates: [offers[index]?.() ?? failed()] }),
    isRight: ({ signals: { certificate } }) =>
      certificate.status === 'present' && `${certificate.value.chain} ${certificate.value.revocation}` === expected,
  };
}

function failed(): never {
  throw new Error('no such certificate');
}

const pem: Offer = (leaf) => FORMS['ext_authz PEM']?.(leaf) ?? failed();

export const certificateKinds: readonly EvidenceKind[] = [
  ...Object.entries(FORMS).flatMap(([name, offer]): EvidenceKind[] => [
    { name: `certificate by ${name}, first time`, prepare: () => prepareForm(offer, false) },
    { name: `certificate by ${name}, known`, goal: { usBelow: 2 }, prepare: () => prepareForm(offer, true) },
  ]),
  { name: 'certificate verified with its chain and a CRL, first time', prepare: () => prepareVerified(pem, false) },
  { name: 'certificate verified with its chain and a CRL, known', goal: { usBelow: 2 }, prepare: () => prepareVerified(pem, true) },
];
