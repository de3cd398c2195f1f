import { verify } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { parseStrictJson } from '../formats/strict-json.ts';
import { systemClock } from '../system-clock.ts';
import { readClaims, type VerifiedAssertion } from './assertion-claims.ts';
import { checkUrl } from './check-url.ts';
import { fetchKeys } from './fetch-keys.ts';
import { createKeySet, type FetchKeys, type VerifyingKey } from './key-set.ts';
import type { AssertionRefusal } from './refusals.ts';

export type { AssertionClaims, VerifiedAssertion } from './assertion-claims.ts';
export type { FetchKeys } from './key-set.ts';
export type { AssertionRefusal } from './refusals.ts';

/** What an assertion has to be for this upstream. */
export type AssertionVerifierOptions = {
  /** `publicUrl` of Countersign, letter by letter. */
  readonly issuer: string;
  /** Ids of the routes that this upstream serves. */
  readonly audience: string | readonly string[];
  /** The policy that allowed it; by default `default`. Routes of other policies may have the same ids. */
  readonly policy?: string;
  /** Gateways by which requests may come; left out: any. */
  readonly gateways?: readonly string[];
  /** Least assurance level of the caller, 0 to 4; by default 0. */
  readonly assuranceMin?: number;
  /** Where the keys are; by default `/.well-known/jwks.json` below the issuer. */
  readonly jwksUrl?: string;
  /** Fetch keys by plain http from another machine: whoever is on the way can give others. */
  readonly allowInsecureHttp?: boolean;
  /** How far the two clocks may differ, seconds; by default 5. */
  readonly toleranceSeconds?: number;
  /** For a question about keys, milliseconds; by default 2000. */
  readonly timeoutMs?: number;
  /** Fetches the keys in place of ours: with a client certificate, by a proxy, from a file. */
  readonly fetchKeys?: FetchKeys;
  /** The machine's own, but in tests. */
  readonly clock?: { now(): number; monotonic(): number };
};

/** Verifies `x-countersign-assertion`. */
export interface AssertionVerifier {
  /** @param header its value as it came; of several ones none is believed. Never rejects. */
  verify(header: string | readonly string[] | undefined): Promise<VerifiedAssertion>;
}

export const ASSERTION_HEADER = 'x-countersign-assertion';
const TYPE = 'countersign-assertion+jwt';
const CHARS_MAX = 8192;
const LIMITS = { depthMax: 4, keysMax: 64 };
const KEY_SET = { freshMs: 300_000, keptMs: 3_600_000, pauseMs: 10_000 };

/**
 * Verifies by the keys that Countersign publishes, which are fetched when the first assertion comes, again every five minutes, and at most every ten
 * seconds for a key that is not known. An hour without them nothing is believed any more.
 * @throws TypeError where the keys' address is none, or not safe
 */
export function createAssertionVerifier(options: AssertionVerifierOptions): AssertionVerifier {
  const { issuer, timeoutMs = 2000, clock = systemClock } = options;
  const url = options.jwksUrl ?? `${issuer}/.well-known/jwks.json`;
  checkUrl(url, options.allowInsecureHttp === true);
  const keys = createKeySet({ ...KEY_SET, url, timeoutMs, fetchKeys: options.fetchKeys ?? fetchKeys, monotonic: () => clock.monotonic() });
  const wanted = {
    issuer,
    audience: new Set([options.audience].flat()),
    policy: options.policy ?? 'default',
    gateways: options.gateways === undefined ? null : new Set(options.gateways),
    assuranceMin: options.assuranceMin ?? 0,
    toleranceSeconds: options.toleranceSeconds ?? 5,
  };

  return {
    async verify(header) {
      if (header === undefined || header === '') return refused('assertion_missing');
      if (typeof header !== 'string' && header.length !== 1)
        return refused(header.length === 0 ? 'assertion_missing' : 'assertion_multiple');
      const text = typeof header === 'string' ? header : (header[0] ?? '');
      // two lines that something on the way has joined
      if (text.includes(',')) return refused('assertion_multiple');
      const parts = partsOf(text);
      if (parts === null) return refused('assertion_malformed');
      const { typ, alg, kid, crit } = parts.head;
      if (typ !== TYPE) return refused('assertion_type');
      if (crit !== undefined || typeof kid !== 'string') return refused('assertion_malformed');
      if (alg !== 'ES256' && alg !== 'EdDSA') return refused('assertion_algorithm');
      const found = keys.find(kid);
      const key = found instanceof Promise ? await found : found;
      if (key === 'unavailable') return refused('assertion_keys_unavailable');
      if (key === 'unknown') return refused('assertion_key_unknown');
      if (key.algorithm !== alg) return refused('assertion_algorithm');
      if (!isSignedBy(key, parts)) return refused('assertion_signature');
      const claims = jsonOf(parts.payload);
      return claims === null ? refused('assertion_malformed') : readClaims(claims, wanted, clock.now() / 1000);
    },
  };
}

function refused(code: AssertionRefusal): VerifiedAssertion {
  return { ok: false, code };
}

type Parts = { readonly head: JsonObject; readonly payload: Buffer; readonly signed: string; readonly signature: Buffer };

/** Three parts, each in its one spelling: unused bits of the last character would be a second text of the same bytes. */
function partsOf(text: string): Parts | null {
  if (text.length > CHARS_MAX) return null;
  const [first = '', second = '', third = '', more] = text.split('.');
  const [header, payload, signature] = [bytesOf(first), bytesOf(second), bytesOf(third)];
  if (more !== undefined || header === null || payload === null || signature === null) return null;
  const head = jsonOf(header);
  return head === null ? null : { head, payload, signed: `${first}.${second}`, signature };
}

function bytesOf(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return text !== '' && bytes.toString('base64url') === text ? bytes : null;
}

function jsonOf(bytes: Buffer): JsonObject | null {
  const parsed = parseStrictJson(bytes, LIMITS);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}

function isSignedBy({ algorithm, key }: VerifyingKey, { signed, signature }: Parts): boolean {
  // both forms are of 64 bytes
  if (signature.length !== 64) return false;
  return verify(algorithm === 'ES256' ? 'sha256' : null, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, signature);
}
