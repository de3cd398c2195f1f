import { createPublicKey, type KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { parseStrictJson } from '../formats/strict-json.ts';

/** A published key. */
export type VerifyingKey = { readonly algorithm: 'ES256' | 'EdDSA'; readonly key: KeyObject };

/** Gets the text of a JWK set; rejects where it cannot, and in time. */
export type FetchKeys = (url: string, options: { readonly timeoutMs: number; readonly bytesMax: number }) => Promise<Uint8Array>;

export type KeySetOptions = {
  readonly url: string;
  readonly fetchKeys: FetchKeys;
  /** Milliseconds on a scale that never goes back. */
  readonly monotonic: () => number;
  readonly timeoutMs: number;
  /** A set is asked for again after this time; what is known serves meanwhile. */
  readonly freshMs: number;
  /** A set that could not be fetched again for this long is not believed any more. */
  readonly keptMs: number;
  /** Least time between two questions, whatever unknown ids are shown to us. */
  readonly pauseMs: number;
};

/** Keys by their id, fetched when they are needed. */
export interface KeySet {
  /** The key, `unknown` where the newest set has none of this id, `unavailable` where no set can be had. Never rejects. */
  find(kid: string): VerifyingKey | Promise<VerifyingKey | 'unknown' | 'unavailable'>;
}

const BYTES_MAX = 65_536;
const KEYS_MAX = 64;
const LIMITS = { depthMax: 8, keysMax: 1000 };

/** A JWK set (RFC 7517) by its URL. Questions are made one at a time, and never more often than `pauseMs` says. */
export function createKeySet(options: KeySetOptions): KeySet {
  const { monotonic, freshMs, keptMs, pauseMs } = options;
  let keys: ReadonlyMap<string, VerifyingKey> | null = null;
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    askedAtMs = monotonic();
    try {
      const { url, timeoutMs } = options;
      const read = readKeySet(await within(timeoutMs, options.fetchKeys(url, { timeoutMs, bytesMax: BYTES_MAX })));
      if (read === null) return;
      keys = read;
      fetchedAtMs = monotonic();
    } catch {
      // what is known stays, as long as it may
    } finally {
      asking = null;
    }
  }

  /** The question that is on its way, a new one, or none where the last is too recent. */
  function refresh(): Promise<void> | null {
    if (asking !== null) return asking;
    if (monotonic() - askedAtMs < pauseMs) return null;
    asking = ask();
    return asking;
  }

  function known(kid: string): VerifyingKey | 'unknown' | 'unavailable' {
    if (keys === null || monotonic() - fetchedAtMs > keptMs) return 'unavailable';
    return keys.get(kid) ?? 'unknown';
  }

  async function findAfter(kid: string, asked: Promise<void> | null): Promise<VerifyingKey | 'unknown' | 'unavailable'> {
    await asked;
    return known(kid);
  }

  return {
    find(kid) {
      const found = known(kid);
      if (typeof found === 'string') return findAfter(kid, refresh());
      if (monotonic() - fetchedAtMs > freshMs) void refresh();
      return found;
    },
  };
}

/** Every request that brings an unknown key waits for the same question: it ends, whoever asks it. */
function within<T>(timeoutMs: number, asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the key set did not come in time')), timeoutMs);
    asked.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The keys that may sign assertions; null where the text is no JWK set, so that an error page empties nothing. */
export function readKeySet(bytes: Uint8Array): ReadonlyMap<string, VerifyingKey> | null {
  const parsed = parseStrictJson(bytes, LIMITS);
  if (!parsed.ok || !isJsonObject(parsed.value)) return null;
  const { keys } = parsed.value;
  if (!Array.isArray(keys) || keys.length > KEYS_MAX) return null;
  const found = new Map<string, VerifyingKey>();
  for (const jwk of keys) {
    const { kid, use = 'sig' } = isJsonObject(jwk) ? jwk : {};
    const key = isJsonObject(jwk) ? readKey(jwk) : null;
    if (key !== null && typeof kid === 'string' && kid !== '' && use === 'sig' && !found.has(kid)) found.set(kid, key);
  }
  return found;
}

/** The algorithm follows from the key, and never from a token. */
function readKey(jwk: JsonObject): VerifyingKey | null {
  const { kty, crv, alg, x, y } = jwk;
  const algorithm = kty === 'EC' && crv === 'P-256' ? 'ES256' : kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : null;
  if (algorithm === null || (alg !== undefined && alg !== algorithm) || typeof x !== 'string') return null;
  try {
    const text = algorithm === 'EdDSA' ? { kty: 'OKP', crv: 'Ed25519', x } : { kty: 'EC', crv: 'P-256', x, y: String(y) };
    return { algorithm, key: createPublicKey({ key: text, format: 'jwk' }) };
  } catch {
    return null;
  }
}
