import type { DecisionRequest } from '../../contract/request.ts';
import type { SignatureCode } from '../../contract/signature.ts';
import type { Awaitable, Clock, Logger } from '../../contract/stages.ts';
import { within } from '../../contract/within.ts';
import type { HttpFetch } from '../../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import { createKeySet, KEY_TIMING, type KeySet, type KeyTiming } from '../keys.ts';
import { createKeyLoader } from '../keys-document.ts';
import { acceptedMember } from './accept-signature.ts';
import { joseNames } from './algorithms.ts';
import { withThumbprints } from './jwks.ts';
import type { SignatureProfileOptions } from './options.ts';
import type { FoundKey, SignatureRules } from './rules.ts';

/** A file is cheap to read again, and a change should hold at once. */
const FILE_REFRESH_MS = 2000;
/** Part of the deadline that is left for the stages after a wait. */
const DEADLINE_RESERVE_MS = 20;
/** A signature lives no longer, whatever it says. */
const LIFETIME_MAX_SECONDS = 86_400;

export type KeySetRulesParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly httpFetch: HttpFetch;
  readonly readFile: ReadDocumentFile;
  readonly keyTiming?: KeyTiming;
};

/** The rules of a configured profile, with the keys that it names (RFC 9421). */
export function createKeySetRules(
  options: SignatureProfileOptions,
  shared: { readonly keyWaitMs: number; readonly clockSkewSeconds: number },
  parts: KeySetRulesParts,
): { readonly rules: SignatureRules; readonly keys: KeySet } {
  const load = createKeyLoader({ ...options, issuer: options.name }, parts);
  const refreshMs = options.refreshSeconds * 1000;
  const keys = createKeySet({
    issuer: options.name,
    kind: 'jwt',
    algorithms: joseNames(options.algorithms),
    refreshMs: options.jwksFile === null ? refreshMs : Math.min(refreshMs, FILE_REFRESH_MS),
    load: async (signal) => withThumbprints(await load(signal)),
    clock: parts.clock,
    logger: parts.logger,
    timing: parts.keyTiming ?? KEY_TIMING,
  });

  /** The key of this id, out of the keys at hand. */
  function keyOf(keyId: string): FoundKey | SignatureCode {
    const named = keys.ring?.byKid.get(keyId) ?? [];
    const [key, second] = named;
    return key === undefined || second !== undefined ? 'signature_key_unknown' : key;
  }

  function findKey(keyId: string, request: DecisionRequest): Awaitable<FoundKey | SignatureCode> {
    const known = keys.ring === null ? 'signature_key_unknown' : keyOf(keyId);
    if (known !== 'signature_key_unknown') return known;
    const renewal = keys.renew(keyId);
    if (renewal === 'kid_unknown') return 'signature_key_unknown';
    if (renewal === 'keys_unavailable') return renewal;
    const leftMs = request.deadlineAtMs - parts.clock.monotonic() - DEADLINE_RESERVE_MS;
    return within(Math.min(shared.keyWaitMs, leftMs), renewal, false).then((renewed) => (renewed ? keyOf(keyId) : 'keys_unavailable'));
  }

  const { name, tag, algorithms, components, contentDigest, ageMaxSeconds, clientId, nonce } = options;
  const signer = { keySet: name, agent: null, agentListed: false, clientId };
  const rules: SignatureRules = {
    profile: 'rfc9421',
    name: `key_set ${name}`,
    tag,
    algorithms,
    components,
    contentDigest,
    times: { clockSkewSeconds: shared.clockSkewSeconds, ageMaxSeconds, lifetimeMaxSeconds: LIFETIME_MAX_SECONDS },
    nonceRequired: nonce === 'required',
    accepted: acceptedMember({ label: name, components, contentDigest, tag, nonce, expires: false }),
    knows: (keyId) => keys.ring === null || (keyId !== null && keys.ring.byKid.has(keyId)),
    examine: ({ parameters }) => {
      const { keyId } = parameters;
      return keyId === null ? 'signature_parameter_missing' : { signer, findKey: (request) => findKey(keyId, request) };
    },
  };
  return { rules, keys };
}
