import type { KeyObject } from 'node:crypto';
import type { ClientRecord, Registry } from '../contract/registry.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';
import { type ApiKeySignal, createApiKeyVerifier, isApiKeyScheme, NO_API_KEY } from './api-key.ts';
import type { Certificate } from './certificate.ts';
import type { CertificateSignal } from './certificate-offers.ts';
import type { IdentityOptions } from './options.ts';
import { createRevocationJudge } from './revocation.ts';
import type { SignatureSignal } from './signature/outcome.ts';
import type { ClientMap } from './subject.ts';
import type { TokenOutcome } from './token-outcome.ts';
import { createVerificationBudget } from './verification-budget.ts';

/** What is declared of callers, and what reading it takes. */
export type RegistryParts = {
  readonly registry: Registry;
  /** What digests of API keys are made with, by id; without any no API key is looked at. */
  readonly hashKeys: ReadonlyMap<string, KeyObject>;
  /** The client's canonical address, or null where it is not known. */
  readonly addressOf: (request: DecisionRequest) => string | null;
};

/** All that the registry has to say of a caller. Without a registry it costs nothing and changes nothing. */
export interface Registered {
  /** Another number whenever the registry changed: an identity made before is void. */
  readonly generation: number;
  readonly clients: ClientMap;
  /** Those of the configuration alone, by SPIFFE id. */
  readonly configured: ReadonlyMap<string, string>;
  /** The signal of the API key that came with the request. */
  apiKeyOf(request: DecisionRequest): ApiKeySignal;
  /** True where `authorization` holds an API key and therefore no token. */
  holdsApiKey(authorization: readonly string[]): boolean;
  /** The token, or its refusal where it is revoked. */
  token(outcome: TokenOutcome): TokenOutcome;
  /** The certificate, or its refusal where it is revoked; `certificate` where the whole of it was seen. */
  certificate(signal: CertificateSignal, certificate: Certificate | null): CertificateSignal;
  /** The message signature, or its refusal where the client that it names is revoked. */
  signature(signal: SignatureSignal): SignatureSignal;
  recordOf(client: string | null): ClientRecord | null;
}

/** Joins the registry, where there is one, with the clients of the configuration, which go before it. */
export function createRegistered(
  options: Pick<IdentityOptions, 'clients' | 'verificationBudget'>,
  parts: {
    readonly registry?: RegistryParts | undefined;
    readonly createCache: CreateBoundedCache;
    readonly accountOf: (request: DecisionRequest) => string | null;
  },
): Registered {
  const configured = new Map(options.clients.flatMap(({ id, spiffeIds }) => spiffeIds.map((spiffeId) => [spiffeId, id] as const)));
  if (parts.registry === undefined) return withoutRegistry(configured);
  const { registry, hashKeys } = parts.registry;
  const clients: ClientMap = { get: (spiffeId) => configured.get(spiffeId) ?? registry.clientOfSpiffeId(spiffeId) ?? undefined };
  const revocation = createRevocationJudge(registry, clients);
  const budget = createVerificationBudget(options.verificationBudget, parts.createCache);
  const keys = hashKeys.size === 0 ? null : createApiKeyVerifier({ ...parts.registry, accountOf: parts.accountOf, budget });
  return {
    get generation() {
      return registry.generation;
    },
    clients,
    configured,
    apiKeyOf: (request) => keys?.judge(request) ?? NO_API_KEY,
    holdsApiKey: ([value, ...more]) => keys !== null && value !== undefined && more.length === 0 && holdsOne(value),
    ...revocation,
    recordOf: (client) => (client === null ? null : registry.client(client)),
  };
}

/** What looks like several credentials is for the reader of tokens to refuse. */
function holdsOne(authorization: string): boolean {
  return isApiKeyScheme(authorization) && !authorization.includes(',');
}

function withoutRegistry(configured: ReadonlyMap<string, string>): Registered {
  return {
    generation: 0,
    clients: configured,
    configured,
    apiKeyOf: () => NO_API_KEY,
    holdsApiKey: () => false,
    token: (outcome) => outcome,
    certificate: (signal) => signal,
    signature: (signal) => signal,
    recordOf: () => null,
  };
}
