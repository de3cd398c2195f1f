/** Pieces of evidence that are compared, by twos; `client` is the caller's registered record, which `client_issuer` holds against the token's issuer. */
export const AGREEMENT_PAIRS = [
  'token_certificate',
  'token_api_key',
  'token_txn_token',
  'token_signature',
  'certificate_api_key',
  'certificate_txn_token',
  'certificate_signature',
  'certificate_fingerprint',
  'api_key_signature',
  'client_issuer',
  'client_certificate',
  'client_api_key',
  'client_signature',
  'client_fingerprint',
] as const;
export type AgreementPair = (typeof AGREEMENT_PAIRS)[number];

/** `unknown` where one of the two is not there, gives no name that could be compared, or could only contradict. */
export type PairAgreement = 'agree' | 'conflict' | 'unknown';

/** What the pieces of evidence say of each other. */
export type EvidenceAgreement = {
  readonly pairs: Readonly<Record<AgreementPair, PairAgreement>>;
  /** The pairs in conflict, in the order of the list. */
  readonly conflicts: readonly AgreementPair[];
};

const UNKNOWN: Readonly<Record<AgreementPair, PairAgreement>> = Object.freeze({
  token_certificate: 'unknown',
  token_api_key: 'unknown',
  token_txn_token: 'unknown',
  token_signature: 'unknown',
  certificate_api_key: 'unknown',
  certificate_txn_token: 'unknown',
  certificate_signature: 'unknown',
  certificate_fingerprint: 'unknown',
  api_key_signature: 'unknown',
  client_issuer: 'unknown',
  client_certificate: 'unknown',
  client_api_key: 'unknown',
  client_signature: 'unknown',
  client_fingerprint: 'unknown',
});

/** Nothing is compared where there is one piece of evidence, or none: all requests that bring no more share this. */
export const NOTHING_COMPARED: EvidenceAgreement = Object.freeze({ pairs: UNKNOWN, conflicts: Object.freeze([]) });
