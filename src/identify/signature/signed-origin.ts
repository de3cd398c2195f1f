import type { DecisionRequest } from '../../contract/request.ts';
import { originOfRequest } from '../target-uri.ts';
import type { SignedOrigin } from './component-value.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Finds where a request went, as far as anybody vouches for it. */
export type OriginsOf = (request: DecisionRequest) => readonly SignedOrigin[];

/**
 * The gateway's word where it is trusted for `forwarded`. Of others the host is their client's word: it chooses among the public origins, and
 * where it names none of them any of them may be meant, as for DPoP. Empty where neither says anything.
 */
export function createOriginsOf(publicOrigins: readonly string[]): OriginsOf {
  const known = publicOrigins.map(parseOrigin);
  return ({ http, pep }) => {
    if (http === null) return known;
    const vouched = pep.trusts.has('forwarded') ? originOfRequest(http) : null;
    if (vouched !== null) return [parseOrigin(vouched)];
    const named = known.filter(({ scheme, authority }) => authority === authorityOf(http.host, http.port, scheme));
    return named.length > 0 ? named : known;
  };
}

function parseOrigin(origin: string): SignedOrigin {
  const at = origin.indexOf('://');
  return { scheme: origin.slice(0, at), authority: origin.slice(at + 3) };
}

function authorityOf(host: string, port: number | null, scheme: string): string {
  return port === null || port === DEFAULT_PORTS[scheme] ? host : `${host}:${port}`;
}
