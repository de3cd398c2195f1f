import {
  AGREEMENT_PAIRS,
  type AgreementPair,
  type EvidenceAgreement,
  NOTHING_COMPARED,
  type PairAgreement,
} from '../contract/agreement.ts';
import { meet, type PairMapping } from './agreement-mapping.ts';
import type { Compared } from './agreement-views.ts';

/** Holds each piece of evidence against every other one, by comparisons that were made ready at load. */
export function compareEvidence(mappings: readonly PairMapping[], evidence: Compared, nowSeconds: number): EvidenceAgreement {
  let pairs: Record<AgreementPair, PairAgreement> | null = null;
  for (const mapping of mappings) {
    if (!mapping.left.isThere(evidence) || !mapping.right.isThere(evidence)) continue;
    const agreement = judgePair(mapping, evidence, nowSeconds);
    if (agreement === 'unknown') continue;
    pairs ??= { ...NOTHING_COMPARED.pairs };
    pairs[mapping.pair] = agreement;
  }
  if (pairs === null) return NOTHING_COMPARED;
  const known = pairs;
  return { pairs, conflicts: AGREEMENT_PAIRS.filter((pair) => known[pair] === 'conflict') };
}

/** One comparison that fails is a conflict; what may not confirm the other piece leaves it at what is not contradicted. */
function judgePair({ left, right, comparisons }: PairMapping, evidence: Compared, nowSeconds: number): PairAgreement {
  let agreement: PairAgreement = 'unknown';
  for (const comparison of comparisons) {
    const met = meet(comparison.left(evidence), comparison.right(evidence), comparison.ignoreCase);
    if (met === 'conflict') return met;
    if (met === 'agree') agreement = met;
  }
  return agreement === 'agree' && left.confirms(evidence, nowSeconds) && right.confirms(evidence, nowSeconds) ? 'agree' : 'unknown';
}

/** Pairs whose pieces each say who calls: where they differ nobody is named. */
const OF_CALLERS: ReadonlySet<AgreementPair> = new Set<AgreementPair>([
  'token_certificate',
  'token_api_key',
  'token_signature',
  'certificate_api_key',
  'certificate_signature',
  'api_key_signature',
]);
/** Pairs by which a piece belongs to somebody else than the caller, who stays named. */
const OF_STRANGERS: ReadonlySet<AgreementPair> = new Set<AgreementPair>([
  'certificate_txn_token',
  'client_certificate',
  'client_api_key',
  'client_signature',
]);

/** What contradictions cost: `nobody` names no client, and neither lets one piece of evidence lift what another one gives. */
export function costOf(conflicts: readonly AgreementPair[]): 'nothing' | 'no_lift' | 'nobody' {
  if (conflicts.some((pair) => OF_CALLERS.has(pair))) return 'nobody';
  return conflicts.some((pair) => OF_STRANGERS.has(pair)) ? 'no_lift' : 'nothing';
}
