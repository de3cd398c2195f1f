import type { JsonValue } from '../contract/json.ts';
import type { ClientRecord } from '../contract/registry.ts';
import type { TlsFacts } from '../contract/request.ts';
import { isValidAt } from './certificate.ts';
import { parseSpiffeId } from './spiffe-id.ts';
import { type ClientMap, clientOfCertificate, clientOfToken, type Evidence, isVerified } from './subject.ts';

/** All that is compared: the evidence, the record of the client that it names, and the connection that it came by. */
export type Compared = Evidence & { readonly record: ClientRecord | null; readonly tls: TlsFacts };

/** The names of one sort that a piece of evidence gives; none where it gives none. */
export type NamesOf = (evidence: Compared) => readonly string[];

/** A piece of evidence as what can be compared with another. */
export type View = {
  readonly isThere: (evidence: Compared) => boolean;
  /** Whether it may confirm another piece; what may not can still contradict it. */
  readonly confirms: (evidence: Compared, nowSeconds: number) => boolean;
  /** By its name in the configuration, such as `client_id` or `claim:team`; null where it gives no such names. */
  readonly namesOf: (selector: string) => NamesOf | null;
};

export type ViewKind = 'token' | 'certificate' | 'api_key' | 'txn_token' | 'signature' | 'fingerprint' | 'client';

const NOTHING: readonly string[] = [];
const one = (name: string | null | undefined): readonly string[] => (name ? [name] : NOTHING);

/**
 * Every kind of evidence that is compared. What joins this table is compared by the pairs that name it; a kind that is not in it leaves them
 * `unknown`.
 */
export function createViews(
  clients: ClientMap,
  recordOf: (client: string | null) => ClientRecord | null,
): Readonly<Partial<Record<ViewKind, View>>> {
  return {
    token: {
      isThere: ({ token }) => token !== null,
      confirms: ({ token }) => isVerified(token),
      namesOf: (selector) => {
        if (selector.startsWith('claim:')) return claim(selector.slice('claim:'.length));
        if (selector === 'client_id') return ({ token }) => one(token === null ? null : clientOfToken(token, clients));
        if (selector === 'subject') return ({ token }) => one(token?.subject);
        return selector === 'issuer' ? ({ token }) => one(token?.issuer) : null;
      },
    },
    certificate: {
      isThere: ({ certificate }) => certificate !== null,
      confirms: ({ certificate }, nowSeconds) => certificate !== null && isValidAt(certificate, nowSeconds),
      namesOf: (selector) => {
        const ofSpiffeId = spiffeSelector(selector);
        if (ofSpiffeId !== null) return ({ certificate }) => (certificate?.spiffeId ? ofSpiffeId(certificate.spiffeId) : NOTHING);
        if (selector === 'client_id')
          return ({ certificate }) => one(certificate === null ? null : clientOfCertificate(certificate, clients));
        if (selector === 'uri') return ({ certificate }) => certificate?.uris ?? NOTHING;
        if (selector === 'sha256') return ({ certificate }) => one(certificate?.sha256);
        if (selector === 'ja3' || selector === 'ja4') {
          return ({ certificate }) =>
            certificate === null ? NOTHING : fingerprintsOf(recordOf(clientOfCertificate(certificate, clients)), selector);
        }
        if (selector === 'dns') return ({ certificate }) => certificate?.dns ?? NOTHING;
        return selector === 'subject_cn' ? ({ certificate }) => one(commonNameOf(certificate?.subject ?? '')) : null;
      },
    },
    txn_token: {
      isThere: ({ txnToken }) => txnToken !== null,
      confirms: () => true,
      namesOf: (selector) => {
        if (selector === 'subject') return ({ txnToken }) => one(txnToken?.subject);
        if (selector === 'requesting_workload') return ({ txnToken }) => one(txnToken?.requestingWorkload);
        return selector === 'trust_domain' ? ({ txnToken }) => one(txnToken?.trustDomain) : null;
      },
    },
    api_key: {
      isThere: ({ apiKey }) => apiKey !== null,
      confirms: () => true,
      namesOf: (selector) => {
        if (selector === 'client_id') return ({ apiKey }) => one(apiKey?.clientId);
        return selector === 'id' ? ({ apiKey }) => one(apiKey?.id) : null;
      },
    },
    fingerprint: {
      isThere: ({ tls }) => tls.ja3 !== null || tls.ja4 !== null,
      confirms: () => true,
      namesOf: (selector) => (selector === 'ja3' || selector === 'ja4' ? ({ tls }) => one(tls[selector]) : null),
    },
    client: {
      isThere: ({ record }) => record !== null,
      confirms: () => true,
      namesOf: (selector) => {
        if (selector === 'client_id') return ({ record }) => one(record?.id);
        if (selector === 'issuer') return ({ record }) => record?.issuers ?? NOTHING;
        if (selector === 'spiffe_id') return ({ record }) => record?.spiffeIds ?? NOTHING;
        if (selector === 'sha256') return ({ record }) => record?.fingerprints.certificates ?? NOTHING;
        return selector === 'ja3' || selector === 'ja4' ? ({ record }) => fingerprintsOf(record, selector) : null;
      },
    },
    signature: {
      isThere: ({ signature }) => signature !== null,
      confirms: () => true,
      namesOf: (selector) => {
        if (selector === 'client_id') return ({ signature }) => one(signature?.clientId);
        if (selector === 'key_id') return ({ signature }) => one(signature?.keyId);
        return selector === 'agent' ? ({ signature }) => one(signature?.agent) : null;
      },
    },
  };
}

function fingerprintsOf(record: ClientRecord | null, kind: 'ja3' | 'ja4'): readonly string[] {
  return record?.fingerprints[kind] ?? NOTHING;
}

function claim(name: string): NamesOf {
  return ({ token }) => {
    if (token === null || !Object.hasOwn(token.claims, name)) return NOTHING;
    const value: JsonValue | undefined = token.claims[name];
    return typeof value === 'string' ? one(value) : Array.isArray(value) ? value.filter((item) => typeof item === 'string') : NOTHING;
  };
}

/** Parts of a SPIFFE id by their names; null where it is none of them. Segments count from 1. */
export function spiffeSelector(selector: string): ((spiffeId: string) => readonly string[]) | null {
  if (selector === 'spiffe_id') return one;
  if (selector === 'trust_domain') return (id) => one(parseSpiffeId(id)?.trustDomain);
  if (selector === 'spiffe_path_last') return (id) => one(segmentsOf(id).at(-1));
  const segment = /^spiffe_path_segment:([1-9]\d?)$/.exec(selector)?.[1];
  return segment === undefined ? null : (id) => one(segmentsOf(id)[Number(segment) - 1]);
}

function segmentsOf(spiffeId: string): readonly string[] {
  const id = parseSpiffeId(spiffeId);
  return id === null || id.path === '' ? NOTHING : id.path.slice(1).split('/');
}

/**
 * The only CN of a distinguished name (RFC 4514), in its simple form: where a character is escaped or quoted, or where there are two, a second
 * reader could find another name, so there is none.
 */
export function commonNameOf(subject: string): string | null {
  if (/["\\]/.test(subject)) return null;
  const names = subject.split(/[,+]/).filter((part) => /^\s*CN=/i.test(part));
  return names.length === 1 ? (names[0] ?? '').replace(/^\s*CN=/i, '').trim() : null;
}
