import { hash } from 'node:crypto';
import { CountersignError } from '../contract/errors.ts';
import type { CertificateHeader, Dialect, FingerprintHeaders, ForwardedFor, Pep, Trust } from '../contract/pep.ts';
import type { CertificateEvidence } from './peer-certificate.ts';

/** One gateway as configured. A token is known by the lower-case hex of its SHA-256 only. */
export type PepOptions = {
  readonly name: string;
  /** True for the one gateway that needs no evidence. */
  readonly anonymous: boolean;
  readonly tokenSha256: string | null;
  /** As good as the other one. */
  readonly secondTokenSha256?: string | null;
  /** Every member that is given has to match; each by equality, never by prefix. */
  readonly certificate: CertificateRule | null;
  readonly trusts: readonly Trust[];
  /** Empty: the only policy, else `default`. */
  readonly policies: readonly string[];
  readonly forwardedFor: ForwardedFor;
  readonly certificateHeader: CertificateHeader | null;
  readonly fingerprintHeaders?: FingerprintHeaders;
  readonly feedbackFor?: readonly string[];
  readonly dialect?: Dialect | null;
  /** Left out: true. */
  readonly enforce?: boolean;
};

export type CertificateRule = {
  readonly uri?: string | undefined;
  readonly dns?: string | undefined;
  readonly sha256?: string | undefined;
};

/** What a caller showed of itself; null where it did not offer that kind at all. */
export type PepEvidence = { readonly token: string | null; readonly certificate: CertificateEvidence | null };

/** Who may ask. */
export interface PepAuth {
  /** Differs once who may ask has changed: what was found before has to be looked up again. Left out: it never changes. */
  readonly generation?: number;
  /**
   * The gateway, or null. Nothing offered is the anonymous gateway where one is configured; something wrong offered is null and
   * never the anonymous one. A certificate that no gateway is configured by says nothing beside a good token; two that name
   * different gateways are null.
   */
  authenticate(evidence: PepEvidence): Pep | null;
  /** The gateway of this name, or null: for operators who ask in its place. */
  named(name: string): Pep | null;
}

/**
 * Builds the look-up once at start. Throws `config_invalid` for what would make an answer depend on order: a name or a token
 * used twice, two anonymous gateways, a policy that is not configured, a certificate rule without a member.
 *
 * Tokens are compared by their SHA-256 in a Map, not in constant time: what timing could tell is how far the hash of a guess agrees
 * with a stored hash, and nobody can choose guesses by the prefix of their hash beyond what trying them costs anyway.
 */
export function createPepAuth(peps: readonly PepOptions[], policyNames: readonly string[]): PepAuth {
  const byToken = new Map<string, Pep>();
  const byCertificate: { readonly rule: CertificateRule; readonly pep: Pep }[] = [];
  const names = new Map<string, Pep>();
  let anonymous: Pep | null = null;
  for (const options of peps) {
    const field = `peps.${options.name}`;
    if (names.has(options.name)) throw new CountersignError('config_invalid', { field, detail: 'the name is used twice' });
    const pep = toPep(options, policyNames);
    names.set(options.name, pep);
    if (options.anonymous) {
      if (anonymous !== null) throw new CountersignError('config_invalid', { field, detail: 'a second anonymous gateway' });
      anonymous = pep;
    }
    for (const member of ['tokenSha256', 'secondTokenSha256'] as const) {
      const key = options[member]?.toLowerCase();
      if (key === undefined) continue;
      if (byToken.has(key)) throw new CountersignError('config_invalid', { field: `${field}.${member}`, detail: 'used twice' });
      byToken.set(key, pep);
    }
    if (options.certificate !== null) byCertificate.push({ rule: checkedRule(options.certificate, field), pep });
  }

  function byTheCertificate(certificate: CertificateEvidence): Pep | 'several' | null {
    let found: Pep | null = null;
    for (const { rule, pep } of byCertificate) {
      if (!matches(rule, certificate)) continue;
      if (found !== null) return 'several';
      found = pep;
    }
    return found;
  }

  return {
    named: (name) => names.get(name) ?? null,
    authenticate(evidence) {
      const { token, certificate } = evidence;
      if (token === null && certificate === null) return anonymous;
      const certified = certificate === null ? null : byTheCertificate(certificate);
      if (certified === 'several') return null;
      if (token === null) return certified;
      const known = byToken.get(hash('sha256', token, 'hex')) ?? null;
      return certified === null || certified === known ? known : null;
    },
  };
}

function toPep(options: PepOptions, policyNames: readonly string[]): Pep {
  const field = `peps.${options.name}.policies`;
  for (const policy of options.policies) {
    if (!policyNames.includes(policy)) throw new CountersignError('config_invalid', { field, detail: 'a policy that is not configured' });
  }
  let policies = options.policies;
  if (policies.length === 0) policies = policyNames.length === 1 ? policyNames : policyNames.filter((name) => name === 'default');
  if (policies.length === 0) throw new CountersignError('config_invalid', { field, detail: 'no policy is named and none is the default' });
  const forwardedFor = { ...options.forwardedFor, header: options.forwardedFor.header.toLowerCase() };
  return {
    name: options.name,
    trusts: new Set(options.trusts),
    policies: [...policies],
    policiesKnown: policyNames,
    forwardedFor,
    certificateHeader: options.certificateHeader,
    ...(options.fingerprintHeaders === undefined ? {} : { fingerprintHeaders: options.fingerprintHeaders }),
    ...(options.feedbackFor === undefined ? {} : { feedbackFor: options.feedbackFor }),
    ...(options.dialect === undefined ? {} : { dialect: options.dialect }),
    ...(options.enforce === false ? { enforce: false } : {}),
  };
}

function checkedRule(rule: CertificateRule, field: string): CertificateRule {
  const sha256 = rule.sha256?.replaceAll(':', '').toLowerCase();
  if (rule.uri === undefined && rule.dns === undefined && sha256 === undefined) {
    throw new CountersignError('config_invalid', { field: `${field}.certificate`, detail: 'uri, dns or sha256 is needed' });
  }
  return { uri: rule.uri, dns: rule.dns?.toLowerCase(), sha256 };
}

function matches(rule: CertificateRule, certificate: CertificateEvidence): boolean {
  if (rule.uri !== undefined && !certificate.uris.includes(rule.uri)) return false;
  if (rule.dns !== undefined && !certificate.dns.includes(rule.dns)) return false;
  return rule.sha256 === undefined || rule.sha256 === certificate.sha256;
}
