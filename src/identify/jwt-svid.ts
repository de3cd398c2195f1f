import { CountersignError } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import type { TokenCode } from '../contract/signals.ts';
import type { IssuerOptions } from './options.ts';
import { parseSpiffeId } from './spiffe-id.ts';

/** JWT-SVID section 2.1: RS, ES and PS of 256 to 512. */
const ALGORITHM = /^(?:RS|ES|PS)(?:256|384|512)$/;
/** Section 2.3: `typ`, where there is one, is one of these. */
const TYPES = ['jwt', 'jose'] as const;

/** The algorithms and types of a trust domain's tokens, whatever else is configured; fails with `config_invalid`. */
export function prepareSvids({ issuer, audiences, algorithms }: IssuerOptions): Pick<IssuerOptions, 'algorithms' | 'types'> {
  const id = parseSpiffeId(issuer);
  if (id === null || id.path !== '') throw new CountersignError('config_invalid', { field: 'identity.issuers.issuer' });
  // section 3: a validator must find itself in `aud`
  if (audiences.length === 0) throw new CountersignError('config_invalid', { field: 'identity.issuers.audiences' });
  return { algorithms: algorithms.filter((name) => ALGORITHM.test(name)), types: TYPES };
}

/**
 * The issuer that a token claims to be of: by `iss`, else, where that is absent or not configured, the trust domain of a `sub` that is a SPIFFE id with
 * a path (JWT-SVID section 3.1; SPIRE writes an `iss` that says nothing of the domain). A token that names a trust domain must have such a `sub`.
 */
export function issuerOf<T extends { readonly options: Pick<IssuerOptions, 'kind' | 'issuer'> }>(
  { iss, sub }: JsonObject,
  issuers: ReadonlyMap<string, T>,
): T | TokenCode {
  if (iss !== undefined && typeof iss !== 'string') return 'claim_invalid';
  const named = iss === undefined ? undefined : issuers.get(iss);
  if (named?.options.kind === 'jwt') return named;
  const id = typeof sub === 'string' ? parseSpiffeId(sub) : null;
  const domain = id === null || id.path === '' ? undefined : issuers.get(`spiffe://${id.trustDomain}`);
  if (named !== undefined && named !== domain) return 'claim_invalid';
  if (domain?.options.kind === 'jwt_svid') return domain;
  return iss === undefined ? 'claim_missing' : 'issuer_unknown';
}
