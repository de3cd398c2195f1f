import type { DecisionRequest } from '../../contract/request.ts';
import type { SignatureCode } from '../../contract/signature.ts';
import type { Awaitable, Clock, Logger } from '../../contract/stages.ts';
import { fieldText } from '../../formats/structured-fields.ts';
import type { CreateBoundedCache } from '../../stores/bounded-cache.ts';
import type { GuardedFetch } from '../../stores/guarded-fetch.ts';
import { acceptedMember } from './accept-signature.ts';
import { joseNames } from './algorithms.ts';
import type { SignedMessage } from './component-value.ts';
import { isCovered } from './coverage.ts';
import { createKeyDirectories, type KeyDirectories } from './key-directories.ts';
import { createKeyDocuments } from './key-document.ts';
import type { WebBotAuthOptions } from './options.ts';
import type { Examined, FoundKey, SignatureRules } from './rules.ts';
import { type Agent, agentOf, coveredEntry, parseSignatureAgent } from './signature-agent.ts';
import type { OfferedSignature } from './signature-fields.ts';

export const WEB_BOT_AUTH_TAG = 'web-bot-auth';
/** A SHA-256 in base64url without padding. */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;
/** Part of the deadline that is left for the stages after a wait. */
const DEADLINE_RESERVE_MS = 20;

export type WebBotAuthParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly createCache: CreateBoundedCache;
  readonly guardedFetch: GuardedFetch;
  readonly accountOf: (request: DecisionRequest) => string | null;
};

/**
 * The rules of the profile Web Bot Auth (draft-meunier-web-bot-auth-architecture): `created` and `expires`, a key id that is the thumbprint, the
 * authority and the agent covered, and the key in what the agent publishes.
 */
export function createWebBotAuthRules(
  options: WebBotAuthOptions,
  shared: { readonly clockSkewSeconds: number; readonly fieldBytesMax: number },
  { clock, logger, createCache, guardedFetch, accountOf }: WebBotAuthParts,
): { readonly rules: SignatureRules; readonly directories: KeyDirectories } {
  const listed = options.agents === 'any' ? null : new Set(options.agents);
  const directories = createKeyDirectories(options.directory, createKeyDocuments(guardedFetch, joseNames(options.algorithms)), {
    clock,
    logger,
    createCache,
  });

  function examine({ components, parameters, label }: OfferedSignature, { http }: SignedMessage): Examined | SignatureCode {
    const { keyId } = parameters;
    if (keyId === null) return 'signature_parameter_missing';
    if (!THUMBPRINT.test(keyId)) return 'signature_key_id_invalid';
    if (!isCovered('@authority', components)) return 'signature_coverage_insufficient';
    const lines = http.headers.get('signature-agent');
    if (lines === undefined) return 'signature_agent_missing';
    const text = fieldText(lines);
    const entries = text.length > shared.fieldBytesMax ? null : parseSignatureAgent(text);
    if (entries === null) return 'signature_agent_invalid';
    const entry = coveredEntry(entries, components, label);
    if (typeof entry === 'string') return entry;
    const agent = agentOf(entry, options.directory.allowLoopback);
    if (agent === null) return 'signature_agent_invalid';
    if (listed !== null && !listed.has(agent.host)) return 'signature_agent_not_allowed';
    return {
      signer: { keySet: null, agent: agent.uri, agentListed: listed !== null, clientId: null },
      findKey: (request) => findKey(agent, keyId, request),
    };
  }

  function findKey(agent: Agent, keyId: string, request: DecisionRequest): Awaitable<FoundKey | SignatureCode> {
    const nowMs = request.receivedAtMs;
    const leftMs = request.deadlineAtMs - clock.monotonic() - DEADLINE_RESERVE_MS;
    const found = directories.find(agent, keyId, { account: accountOf(request), nowMs, leftMs });
    return found instanceof Promise ? found.then((key) => inItsTime(key, nowMs)) : inItsTime(found, nowMs);
  }

  const components = options.components.some((name) => name === '@target-uri' || name === '@authority')
    ? options.components
    : ['@authority', ...options.components];
  const rules: SignatureRules = {
    profile: 'web_bot_auth',
    name: 'web_bot_auth',
    tag: WEB_BOT_AUTH_TAG,
    algorithms: options.algorithms,
    components: options.components,
    contentDigest: false,
    times: { clockSkewSeconds: shared.clockSkewSeconds, ageMaxSeconds: null, lifetimeMaxSeconds: options.lifetimeMaxSeconds },
    nonceRequired: options.nonce === 'required',
    accepted: acceptedMember({
      label: 'web_bot_auth',
      components: components.includes('signature-agent') ? components : [...components, 'signature-agent'],
      contentDigest: false,
      tag: WEB_BOT_AUTH_TAG,
      nonce: options.nonce,
      expires: true,
    }),
    knows: () => true,
    examine,
  };
  return { rules, directories };
}

/** A directory may say from when to when a key is used. */
function inItsTime(key: Awaited<ReturnType<KeyDirectories['find']>>, nowMs: number): FoundKey | SignatureCode {
  if (typeof key === 'string') return key;
  const now = nowMs / 1000;
  const early = key.notBefore !== null && now < key.notBefore;
  const late = key.notAfter !== null && now >= key.notAfter;
  return early || late ? 'signature_key_unknown' : key;
}
