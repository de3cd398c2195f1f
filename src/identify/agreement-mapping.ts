import type { AgreementPair } from '../contract/agreement.ts';
import { CountersignError } from '../contract/errors.ts';
import { type NamesOf, spiffeSelector, type View, type ViewKind } from './agreement-views.ts';

/** One comparison: a name of the one piece has to be a name of the other. Selectors are those of `agreement-views.ts`. */
export type AgreementRule = { readonly pair: AgreementPair; readonly left: string; readonly right: string; readonly ignoreCase: boolean };

/** Configuration's section `identity.agreement`. */
export type AgreementOptions = {
  readonly rules: readonly AgreementRule[];
  /** Pairs that are compared by `rules` alone. */
  readonly withoutBuiltIn: readonly AgreementPair[];
};

/** The comparisons of one pair, ready to be made; all of them must hold. */
export type PairMapping = {
  readonly pair: AgreementPair;
  readonly left: View;
  readonly right: View;
  readonly comparisons: readonly { readonly left: NamesOf; readonly right: NamesOf; readonly ignoreCase: boolean }[];
};

/** What is on the left and on the right of each pair. */
const SIDES: Readonly<Record<AgreementPair, readonly [ViewKind, ViewKind]>> = {
  token_certificate: ['token', 'certificate'],
  token_api_key: ['token', 'api_key'],
  token_txn_token: ['token', 'txn_token'],
  token_signature: ['token', 'signature'],
  certificate_api_key: ['certificate', 'api_key'],
  certificate_txn_token: ['certificate', 'txn_token'],
  certificate_signature: ['certificate', 'signature'],
  certificate_fingerprint: ['certificate', 'fingerprint'],
  api_key_signature: ['api_key', 'signature'],
  client_issuer: ['client', 'token'],
  client_certificate: ['client', 'certificate'],
  client_api_key: ['client', 'api_key'],
  client_signature: ['client', 'signature'],
  client_fingerprint: ['client', 'fingerprint'],
};

/** What is compared without being configured, as soon as both pieces are there. */
const BUILT_IN: readonly (readonly [AgreementPair, string, string])[] = [
  ['token_certificate', 'client_id', 'client_id'],
  ['token_api_key', 'client_id', 'client_id'],
  ['token_txn_token', 'subject', 'subject'],
  ['token_signature', 'client_id', 'client_id'],
  ['certificate_api_key', 'client_id', 'client_id'],
  ['certificate_signature', 'client_id', 'client_id'],
  ['api_key_signature', 'client_id', 'client_id'],
  ['client_issuer', 'issuer', 'issuer'],
  ['client_certificate', 'spiffe_id', 'spiffe_id'],
  ['client_certificate', 'sha256', 'sha256'],
  ['certificate_fingerprint', 'ja3', 'ja3'],
  ['certificate_fingerprint', 'ja4', 'ja4'],
  ['client_api_key', 'client_id', 'client_id'],
  ['client_signature', 'client_id', 'client_id'],
  ['client_fingerprint', 'ja3', 'ja3'],
  ['client_fingerprint', 'ja4', 'ja4'],
];

/**
 * Makes the comparisons ready, once at load. Fails with `config_invalid` where a rule stands there twice, asks a piece of evidence for a name
 * that it does not give, or contradicts `identity.clients`.
 */
export function compileAgreement(
  { rules, withoutBuiltIn }: AgreementOptions,
  views: Readonly<Partial<Record<ViewKind, View>>>,
  clients: ReadonlyMap<string, string>,
): readonly PairMapping[] {
  checkRules(rules, clients);
  const byPair = new Map<AgreementPair, PairMapping & { comparisons: PairMapping['comparisons'][number][] }>();
  const add = (pair: AgreementPair, left: string, right: string, ignoreCase: boolean): 'left' | 'right' | null => {
    const [leftKind, rightKind] = SIDES[pair];
    const [leftView, rightView] = [views[leftKind], views[rightKind]];
    const leftNames = leftView?.namesOf(left);
    const rightNames = rightView?.namesOf(right);
    if (!leftView || !leftNames) return 'left';
    if (!rightView || !rightNames) return 'right';
    const mapping = byPair.get(pair) ?? { pair, left: leftView, right: rightView, comparisons: [] };
    mapping.comparisons.push({ left: leftNames, right: rightNames, ignoreCase });
    byPair.set(pair, mapping);
    return null;
  };
  for (const [pair, left, right] of BUILT_IN) if (!withoutBuiltIn.includes(pair)) add(pair, left, right, false);
  for (const [index, { pair, left, right, ignoreCase }] of rules.entries()) {
    const wrong = add(pair, left, right, ignoreCase);
    if (wrong !== null) throw new CountersignError('config_invalid', { field: `identity.agreement.rules[${index}].${wrong}` });
  }
  return [...byPair.values()];
}

function checkRules(rules: readonly AgreementRule[], clients: ReadonlyMap<string, string>): void {
  const seen = new Set<string>();
  for (const [index, { pair, left, right, ignoreCase }] of rules.entries()) {
    const key = JSON.stringify([pair, left, right]);
    // the same names once with and once without case would be two answers to one question
    if (seen.has(key)) throw new CountersignError('config_invalid', { field: `identity.agreement.rules[${index}]` });
    seen.add(key);
    const namesOf = pair === 'token_certificate' && left === 'client_id' ? spiffeSelector(right) : null;
    for (const [spiffeId, client] of namesOf === null ? [] : clients) {
      if (meet([client], namesOf?.(spiffeId) ?? [], ignoreCase) !== 'conflict') continue;
      throw new CountersignError('config_invalid', { field: `identity.agreement.rules[${index}].right` });
    }
  }
}

/** Two lists of names: `agree` where one is in both, `conflict` where none is, `unknown` where a list is empty. */
export function meet(left: readonly string[], right: readonly string[], ignoreCase: boolean): 'agree' | 'conflict' | 'unknown' {
  if (left.length === 0 || right.length === 0) return 'unknown';
  if (!ignoreCase) return left.some((name) => right.includes(name)) ? 'agree' : 'conflict';
  const folded = new Set(right.map((name) => name.toLowerCase()));
  return left.some((name) => folded.has(name.toLowerCase())) ? 'agree' : 'conflict';
}
