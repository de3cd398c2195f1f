import { isJsonObject } from '../../contract/json.ts';
import type { SignatureCode } from '../../contract/signature.ts';
import type { GuardedFailure, GuardedFetch } from '../../stores/guarded-fetch.ts';
import { parseStrictObject } from '../strict-json.ts';
import { type PublishedKey, publishedKeys } from './jwks.ts';
import type { Agent } from './signature-agent.ts';

/** Keys by their thumbprints. */
export type PublishedKeys = ReadonlyMap<string, PublishedKey>;

/** The keys that an agent publishes, or why there are none: ours to wait for, or the agent's to mend. Never rejects. */
export type FetchPublishedKeys = (
  agent: Agent,
) => Promise<PublishedKeys | Extract<SignatureCode, 'directory_unavailable' | 'signature_directory_refused'>>;

const DIRECTORY_TYPE = 'application/http-message-signatures-directory+json';
const KEY_SET_TYPES: readonly string[] = ['application/jwk-set+json', 'application/json', DIRECTORY_TYPE];
const CARD_TYPES: readonly string[] = ['application/json'];

/** What may come right by itself; all else is what the agent's name or its server says. */
const PASSING: ReadonlySet<GuardedFailure> = new Set<GuardedFailure>(['timeout', 'connection', 'resolution', 'status_retry']);

/** Fetches and reads the documents of agents: a directory, a JWK set, or a client id metadata document that holds or names one. */
export function createKeyDocuments(guardedFetch: GuardedFetch, algorithms: ReadonlySet<string>): FetchPublishedKeys {
  return async ({ type, documentUrl }) => {
    if (type === 'directory') return read(await fetchObject(documentUrl, [DIRECTORY_TYPE]));
    if (type === 'jwks_uri') return read(await fetchObject(documentUrl, KEY_SET_TYPES));
    const card = await fetchObject(documentUrl, CARD_TYPES);
    if (typeof card === 'string') return card;
    const source = readAgentCard(card, documentUrl);
    if (source === null) return 'signature_directory_refused';
    return 'jwks' in source ? read(source.jwks) : read(await fetchObject(source.jwksUri, KEY_SET_TYPES));
  };

  async function fetchObject(url: string, types: readonly string[]) {
    const answer = await guardedFetch(url, types);
    if (!answer.ok) return PASSING.has(answer.failure) ? 'directory_unavailable' : 'signature_directory_refused';
    return parseStrictObject(answer.bytes) ?? 'signature_directory_refused';
  }

  function read(document: Awaited<ReturnType<typeof fetchObject>> | unknown) {
    if (document === 'directory_unavailable' || document === 'signature_directory_refused') return document;
    return publishedKeys(document, algorithms) ?? 'signature_directory_refused';
  }
}

/**
 * Where a client id metadata document (draft-ietf-oauth-client-id-metadata-document) has its keys; null where it is not that of its own URL, or
 * names keys in both ways or in none.
 */
export function readAgentCard(card: unknown, url: string): { readonly jwks: unknown } | { readonly jwksUri: string } | null {
  if (!isJsonObject(card) || card['client_id'] !== url) return null;
  const { jwks, jwks_uri: jwksUri } = card;
  if ((jwks === undefined) === (jwksUri === undefined)) return null;
  if (jwks !== undefined) return { jwks };
  return typeof jwksUri === 'string' ? { jwksUri } : null;
}
