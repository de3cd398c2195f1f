import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { AssertionRefusal } from './refusals.ts';

/** What is proven of a request. */
export type AssertionClaims = {
  /** Id of the route that was allowed. */
  readonly route: string;
  readonly policy: string;
  readonly decisionId: string;
  /** Null where it is not known, or too long for a header. */
  readonly subject: string | null;
  /** True where only the gateway says who the subject is. */
  readonly subjectAsserted: boolean;
  /** The verified client. */
  readonly client: string | null;
  /** Who acts for the subject now (RFC 8693). */
  readonly actor: string | null;
  readonly assurance: number;
  readonly risk: number;
  /** The gateway that asked. */
  readonly gateway: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** All claims as they are. */
  readonly all: JsonObject;
};

/** What an assertion proves, or why it proves nothing. */
export type VerifiedAssertion =
  | { readonly ok: true; readonly claims: AssertionClaims }
  | { readonly ok: false; readonly code: AssertionRefusal };

export type WantedClaims = {
  readonly issuer: string;
  readonly audience: ReadonlySet<string>;
  readonly policy: string;
  readonly gateways: ReadonlySet<string> | null;
  readonly assuranceMin: number;
  readonly toleranceSeconds: number;
};

/** `assertion.lifetimeSeconds` can be no longer: an assertion for longer is none of ours. */
const LIFETIME_SECONDS_MAX = 300;

/** Judges claims whose signature is good. */
export function readClaims(claims: JsonObject, wanted: WantedClaims, nowSeconds: number): VerifiedAssertion {
  const read = formOf(claims);
  if (read === null) return { ok: false, code: 'assertion_malformed' };
  if (claims['iss'] !== wanted.issuer) return { ok: false, code: 'assertion_issuer' };
  if (!wanted.audience.has(read.route)) return { ok: false, code: 'assertion_audience' };
  if (read.policy !== wanted.policy) return { ok: false, code: 'assertion_policy' };
  if (wanted.gateways !== null && !wanted.gateways.has(read.gateway)) return { ok: false, code: 'assertion_gateway' };
  if (read.expiresAt <= nowSeconds - wanted.toleranceSeconds) return { ok: false, code: 'assertion_expired' };
  if (read.issuedAt > nowSeconds + wanted.toleranceSeconds) return { ok: false, code: 'assertion_not_yet' };
  if (read.expiresAt - read.issuedAt > LIFETIME_SECONDS_MAX) return { ok: false, code: 'assertion_malformed' };
  if (read.assurance < wanted.assuranceMin) return { ok: false, code: 'assertion_assurance' };
  return { ok: true, claims: read };
}

function formOf(all: JsonObject): AssertionClaims | null {
  const { iss, aud, policy, jti, sub, sub_asserted: asserted = false, client_id: client, act, assurance, risk, pep, iat, exp } = all;
  if (typeof iss !== 'string' || typeof aud !== 'string' || typeof policy !== 'string') return null;
  if (typeof jti !== 'string' || typeof pep !== 'string' || typeof asserted !== 'boolean') return null;
  if (typeof assurance !== 'number' || typeof risk !== 'number') return null;
  if (typeof iat !== 'number' || typeof exp !== 'number' || exp <= iat) return null;
  const actor = isJsonObject(act) ? act['sub'] : undefined;
  if (act !== undefined && typeof actor !== 'string') return null;
  if (!isTextOrNone(sub) || !isTextOrNone(client)) return null;
  return {
    route: aud,
    policy,
    decisionId: jti,
    subject: sub ?? null,
    subjectAsserted: asserted,
    client: client ?? null,
    actor: typeof actor === 'string' ? actor : null,
    assurance,
    risk,
    gateway: pep,
    issuedAt: iat,
    expiresAt: exp,
    all,
  };
}

function isTextOrNone(value: JsonValue | undefined): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
