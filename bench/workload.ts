import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Effect } from './load/questions.ts';

/** One question, before it is encoded for a wire. */
export type Ask = {
  readonly id: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** Ten headers, the token among them. */
  readonly headers: readonly (readonly [string, string])[];
  /** The client's address. */
  readonly ip: string;
  readonly expected: Effect;
};

/** W1 of DESIGN 6: what all that are compared get, the same bytes for each. */
export type Workload = {
  readonly issuer: string;
  readonly audience: string;
  /** JWK Set (RFC 7517) with the one RS256 key. */
  readonly jwks: string;
  /** 20 routes `GET /rN/{id}`, each with one scope. */
  readonly routes: readonly { readonly id: string; readonly segment: string; readonly scope: string }[];
  /** 1,000 /24 networks that are refused. */
  readonly cidrs: readonly string[];
  readonly asks: readonly Ask[];
};

const ISSUER = 'https://as.bench.example';
const AUDIENCE = 'api://bench';
const HOST = 'api.bench.example';
const ROUTES = 20;
const SCOPES_A_TOKEN = 5;

/**
 * `tokens` distinct tokens, two questions with each: of ten questions eight are allowed, one lacks the route's scope (step_up), one comes
 * from a refused network (deny). Keys are made anew, everything else is the same in every run.
 */
export function createWorkload(tokens = 1000, cidrCount = 1000): Workload {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'bench-1', alg: 'RS256', use: 'sig' };
  const routes = Array.from({ length: ROUTES }, (_, index) => ({ id: `route_${index}`, segment: `r${index}`, scope: `scope:${index}` }));
  const bearers = Array.from({ length: tokens }, (_, index) => `Bearer ${token(keys.privateKey, index)}`);
  const asks = Array.from({ length: tokens * 2 }, (_, index): Ask => {
    const which = index % tokens;
    const kind = index % 10;
    // the token of client n holds the scopes n … n+4 (modulo 20)
    const route = kind === 0 ? (which + SCOPES_A_TOKEN + 3) % ROUTES : (which + (index % SCOPES_A_TOKEN)) % ROUTES;
    const blocked = kind === 1;
    return {
      id: `${1_000_000 + index}`,
      method: 'GET',
      host: HOST,
      path: `/r${route}/${index}?page=1`,
      headers: headers(bearers[which] ?? '', index),
      ip: blocked
        ? `11.${(index % cidrCount) >> 8}.${(index % cidrCount) & 255}.${1 + (index % 250)}`
        : `81.${index >> 8}.${index & 255}.7`,
      expected: blocked ? 'deny' : kind === 0 ? 'step_up' : 'allow',
    };
  });
  return {
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: JSON.stringify({ keys: [jwk] }),
    routes,
    cidrs: Array.from({ length: cidrCount }, (_, index) => `11.${index >> 8}.${index & 255}.0/24`),
    asks,
  };
}

/** The question in the form of `POST /decide`; OPA gets the same document as its `input`. */
export function decideBody(ask: Ask): object {
  return {
    request: { id: ask.id, method: ask.method, scheme: 'https', host: ask.host, path: ask.path, headers: Object.fromEntries(ask.headers) },
    source: { ip: ask.ip, port: 40_312 },
  };
}

function headers(authorization: string, index: number): (readonly [string, string])[] {
  return [
    ['authorization', authorization],
    ['user-agent', 'orders-agent/3.2 (node)'],
    ['accept', 'application/json'],
    ['accept-encoding', 'gzip, br'],
    ['accept-language', 'en'],
    ['cache-control', 'no-cache'],
    ['x-request-id', `0190b0c8-7a6e-7000-8000-${(1_000_000 + index).toString(16).padStart(12, '0')}`],
    ['x-forwarded-proto', 'https'],
    ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['x-envoy-expected-rq-timeout-ms', '15000'],
  ];
}

function token(key: KeyObject, index: number): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const scopes = Array.from({ length: SCOPES_A_TOKEN }, (_, offset) => `scope:${(index + offset) % ROUTES}`);
  const signed = `${part({ alg: 'RS256', typ: 'at+jwt', kid: 'bench-1' })}.${part({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: `client-${index}`,
    client_id: `client-${index}`,
    iat: now,
    exp: now + 7200,
    jti: `token-${index}`,
    scope: scopes.join(' '),
  })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}
