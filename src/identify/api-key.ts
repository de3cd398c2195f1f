import { type KeyObject, timingSafeEqual } from 'node:crypto';
import type { ApiKeyCode, ApiKeyValue } from '../contract/api-key.ts';
import type { ApiKeyRecord, Registry } from '../contract/registry.ts';
import type { Credentials, DecisionRequest } from '../contract/request.ts';
import type { Signal } from '../contract/signals.ts';
import { blocksContain } from '../formats/address-blocks.ts';
import { digestOf } from '../formats/api-key-hash.ts';
import { parseApiKey } from '../formats/api-key-text.ts';
import type { VerificationBudget } from './verification-budget.ts';

export type ApiKeySignal = Signal<ApiKeyValue, ApiKeyCode>;

/** What keys are verified by. */
export type ApiKeyParts = {
  readonly registry: Registry;
  /** By the ids that digests name. */
  readonly hashKeys: ReadonlyMap<string, KeyObject>;
  /** The client's canonical address, or null where it is not known. */
  readonly addressOf: (request: DecisionRequest) => string | null;
  /** Who pays for a failed verification. */
  readonly accountOf: (request: DecisionRequest) => string | null;
  readonly budget: VerificationBudget;
};

/** No key was offered. */
export const NO_API_KEY: ApiKeySignal = { status: 'absent', code: 'api_key_missing' };

const SCHEME = /^ApiKey +/i;
const REFUSALS = new Map<string, ApiKeySignal>();

function refused(code: ApiKeyCode, status: 'invalid' | 'unavailable' = 'invalid'): ApiKeySignal {
  const made = REFUSALS.get(code) ?? { status, code };
  REFUSALS.set(code, made);
  return made;
}

/** Whether an `authorization` value is of the scheme `ApiKey` (RFC 9110 section 11.1: the name has no case). */
export function isApiKeyScheme(authorization: string): boolean {
  return SCHEME.test(authorization);
}

/** The one key of `x-api-key` and `authorization: ApiKey …`, null where there is none, or `multiple`. */
export function readApiKey({ authorization, apiKeys }: Credentials): { readonly key: string } | 'multiple' | null {
  const byScheme = authorization.find(isApiKeyScheme);
  const offered = byScheme === undefined ? apiKeys : [...apiKeys, byScheme.replace(SCHEME, '')];
  const [key] = offered;
  if (key === undefined) return null;
  // Envoy joins repeated headers by commas, and a key has none
  if (offered.length > 1 || key.includes(',') || (byScheme !== undefined && authorization.length > 1)) return 'multiple';
  return { key };
}

/** Verifies API keys against the registry; nothing is kept, so that a key that is gone is gone at once. */
export function createApiKeyVerifier({ registry, hashKeys, addressOf, accountOf, budget }: ApiKeyParts) {
  const [someKey] = hashKeys.values();
  const nobody = Buffer.alloc(32);

  /** As much work for a key that does not exist as for one that does. */
  function matches(key: string, record: ApiKeyRecord | null): boolean {
    const hashKey = (record === null ? undefined : hashKeys.get(record.hashKeyId)) ?? someKey;
    if (hashKey === undefined) return false;
    const expected = record === null ? nobody : Buffer.from(record.digest, 'base64url');
    const digest = digestOf(key, hashKey);
    return digest.length === expected.length && timingSafeEqual(digest, expected) && record !== null;
  }

  function verify(key: string, request: DecisionRequest): ApiKeySignal {
    const parsed = parseApiKey(key);
    if (typeof parsed === 'string') return refused(`api_key_${parsed}`);
    if (!registry.available) return refused('registry_unavailable', 'unavailable');
    const record = registry.apiKey(parsed.id);
    // a digest costs less than the budget could save: by it a stranger would shut out all keys that come from the same address
    if (!matches(key, record) || record === null) return refusedUnknown(request);
    return judge(record, request);
  }

  function refusedUnknown(request: DecisionRequest): ApiKeySignal {
    const account = accountOf(request);
    if (!budget.allows(account, request.receivedAtMs)) return refused('verification_budget_exhausted', 'unavailable');
    budget.spend(account, request.receivedAtMs);
    return refused('api_key_unknown');
  }

  /** What may be wrong with a key that is known. */
  function judge(record: ApiKeyRecord, request: DecisionRequest): ApiKeySignal {
    const { id, clientId, scopes, expiresAt, networks } = record;
    const { revocations } = registry;
    if (revocations.apiKey(id)) return refused('api_key_revoked');
    if (revocations.client(clientId)) return refused('client_revoked');
    if (expiresAt !== null && request.receivedAtMs >= expiresAt * 1000) return refused('api_key_expired');
    if (networks.length > 0) {
      const address = addressOf(request);
      if (address === null || !blocksContain(networks, address)) return refused('api_key_network');
    }
    return { status: 'present', value: { id, clientId, scopes, expiresAt } };
  }

  return {
    /** The signal of the key of a request. */
    judge(request: DecisionRequest): ApiKeySignal {
      const { authorization, apiKeys } = request.credentials;
      if (apiKeys.length === 0 && authorization.length === 0) return NO_API_KEY;
      const offer = readApiKey(request.credentials);
      if (offer === null) return NO_API_KEY;
      return offer === 'multiple' ? refused('credentials_multiple') : verify(offer.key, request);
    },
  };
}
