import { isIP } from 'node:net';
import type { SignatureCode } from '../../contract/signature.ts';
import { hasRepeatedNames, isInnerList, nameOf, parseFieldDictionary, parseFieldItem } from '../../formats/structured-fields.ts';
import type { Component } from './component.ts';

/** How an agent publishes its keys: a well-known directory of its origin, a JWK set, or a client id metadata document. */
export type AgentType = 'directory' | 'jwks_uri' | 'cimd';

/** The agent that a signature names (draft-meunier-web-bot-auth-architecture, `Signature-Agent`). */
export type Agent = {
  readonly type: AgentType;
  /** What it is known by: an origin, or the URL of its document. */
  readonly uri: string;
  /** Lower case. */
  readonly host: string;
  /** What is fetched. */
  readonly documentUrl: string;
};

/** One member of the field. */
export type AgentEntry = { readonly label: string | null; readonly uri: string; readonly type: AgentType };

const DIRECTORY_PATH = '/.well-known/http-message-signatures-directory';
const TYPES: ReadonlySet<string> = new Set<AgentType>(['directory', 'jwks_uri', 'cimd']);
const URI_MAX = 2048;
const ENTRIES_MAX = 8;

/** The entries of the field, a dictionary of strings, or one string as the first drafts had it; null where it is neither. */
export function parseSignatureAgent(text: string): readonly AgentEntry[] | null {
  const dictionary = parseFieldDictionary(text);
  if (dictionary === null) {
    const item = parseFieldItem(text);
    return item === null || typeof item[0] !== 'string' || item[1].size > 0 ? null : [{ label: null, uri: item[0], type: 'directory' }];
  }
  if (dictionary.size === 0 || dictionary.size > ENTRIES_MAX || hasRepeatedNames(text, dictionary)) return null;
  const entries: AgentEntry[] = [];
  for (const [label, member] of dictionary) {
    if (isInnerList(member) || typeof member[0] !== 'string') return null;
    const type = member[1].get('type');
    const name = type === undefined ? 'directory' : nameOf(type);
    if (name === null || !isAgentType(name)) return null;
    entries.push({ label, uri: member[0], type: name });
  }
  return entries;
}

function isAgentType(name: string): name is AgentType {
  return TYPES.has(name);
}

/**
 * The entry that a signature covers: by `;key`, else the only one, else the one of the signature's own label, where all of the field is covered.
 * What is not covered was written by anybody.
 */
export function coveredEntry(
  entries: readonly AgentEntry[],
  components: readonly Component[],
  signatureLabel: string,
): AgentEntry | SignatureCode {
  const covering = components.filter(({ name }) => name === 'signature-agent');
  const [component, second] = covering;
  if (component === undefined || second !== undefined) return 'signature_coverage_insufficient';
  const label = component.member ?? (entries.length === 1 ? (entries[0]?.label ?? null) : signatureLabel);
  return entries.find((entry) => entry.label === label) ?? 'signature_agent_invalid';
}

/** Where an agent's keys are; null where its URI is none that could be fetched: https to a host name, a directory of a whole origin. */
export function agentOf({ uri, type }: AgentEntry, allowLoopback: boolean): Agent | null {
  if (uri.length > URI_MAX || !/^https?:\/\/[\x21-\x7e]+$/.test(uri)) return null;
  const url = URL.parse(uri);
  if (url === null || url.username !== '' || url.password !== '' || uri.includes('#')) return null;
  const loopback = allowLoopback && (url.hostname === 'localhost' || url.hostname === '127.0.0.1' || url.hostname === '[::1]');
  if (url.protocol !== 'https:' && !(loopback && url.protocol === 'http:')) return null;
  if (!loopback && (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0 || !url.hostname.includes('.'))) return null;
  if (type !== 'directory') return { type, uri: url.href, host: url.hostname, documentUrl: url.href };
  if (url.pathname !== '/' || url.search !== '' || uri.includes('?')) return null;
  return { type, uri: url.origin, host: url.hostname, documentUrl: url.origin + DIRECTORY_PATH };
}
