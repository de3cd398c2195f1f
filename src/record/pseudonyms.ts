import { createHmac } from 'node:crypto';
import { isIP } from 'node:net';
import type { Identity } from '../contract/identity.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { DecisionRecord } from '../contract/record.ts';

/** The section `decisions.log.privacy`, with its key read. */
export type PrivacyOptions = {
  /** `truncate`: to /24 and /48. */
  readonly addresses: 'keep' | 'truncate' | 'hash';
  /** Ids of subjects and of clients. */
  readonly clients: 'keep' | 'hash';
  /** Null only where nothing is hashed. */
  readonly key: Uint8Array | null;
};

/** A line with its pseudonyms in place of addresses and ids; `masked` says where. */
export type Pseudonymise = (line: JsonObject, record: Pick<DecisionRecord, 'identity'>) => JsonObject;

/** Members of a line that hold whom it is about; the words of all others are ours. */
const ABOUT: ReadonlySet<string> = new Set(['subject', 'actors', 'address', 'api_key', 'input']);
/** 128 bits: two of them do not meet by chance. */
const HASH_BYTES = 16;
const V4_PARTS = 3;
const V6_GROUPS = 8;
const V6_KEPT = 3;
const IDS_MAX = 256;
const ACTORS_MAX = 32;

/**
 * Makes pseudonyms that are the same for the same value and key, so that lines can still be grouped, and that nobody without the key can
 * make (HMAC-SHA-256). Null where nothing is to be changed.
 */
export function createPseudonyms({ addresses, clients, key }: PrivacyOptions): Pseudonymise | null {
  if (addresses === 'keep' && clients === 'keep') return null;
  const hash = (kind: string, text: string): string =>
    `${kind}:${createHmac('sha256', key ?? '')
      .update(`${kind}\0${text}`)
      .digest()
      .subarray(0, HASH_BYTES)
      .toString('base64url')}`;

  const ofAddress = (text: string): string => {
    const [address = '', prefix] = text.split('/');
    if (addresses === 'hash') return hash('addr', text);
    const short = truncated(address);
    return prefix === undefined ? short : `${short}/${isIP(short) === 4 ? 24 : 48}`;
  };

  /** A piece of text that has an address in it, with a port behind it (`203.0.113.7:443`) or the end of a sentence. */
  const ofPart = (part: string): string => {
    const [found = '', before = '', inner = '', after = ''] = WITHIN.exec(part) ?? [];
    if (found !== '' && isAddress(inner)) return `${before}${ofAddress(inner)}${after}`;
    return part.replace(V4, (address) => (isAddress(address) ? ofAddress(address) : address));
  };

  return (line, { identity }) => {
    const ids = clients === 'keep' ? NO_IDS : idsOf(line, identity);
    const show = (value: JsonValue): JsonValue => {
      if (typeof value === 'string') return showText(value);
      if (Array.isArray(value)) return value.map((one: JsonValue) => show(one));
      if (!isJsonObject(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [showText(name), show(one)]));
    };
    let touched = false;
    const showText = (text: string): string => {
      const made = pseudonymOf(text);
      touched ||= made !== text;
      return made;
    };
    const pseudonymOf = (text: string): string => {
      if (ids.has(text)) return hash('id', text);
      if (addresses === 'keep' || !MAY_BE_ADDRESS.test(text)) return text;
      // also the lists of `x-forwarded-for`
      return text.replace(PART, (part) => (isAddress(part) ? ofAddress(part) : ofPart(part)));
    };
    const masked: string[] = [];
    const members = Object.entries(line).map(([name, value]): [string, JsonValue] => {
      if (!ABOUT.has(name)) return [name, value];
      touched = false;
      const made = show(value);
      if (touched) masked.push(name === 'input' ? '/input' : `/result/${name}`);
      return [name, made];
    });
    return { ...Object.fromEntries(members), ...(masked.length === 0 ? {} : { masked }) };
  };
}

const NO_IDS: ReadonlySet<string> = new Set();
const MAY_BE_ADDRESS = /\d\.\d|:/;
const PART = /[0-9a-f:.]{2,}(\/\d{1,3})?/gi;
const WITHIN = /^([.:]?)(.+?)([.:]*)$/;
const V4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)/g;

function isAddress(text: string): boolean {
  return isIP(text.split('/')[0] ?? '') !== 0;
}

/** By their values: they stand again in claims, and wherever else a policy looks. */
function idsOf(line: JsonObject, identity: DecisionRecord['identity']): ReadonlySet<string> {
  const ids = new Set<string>();
  const add = (value: JsonValue | undefined): void => {
    if (typeof value === 'string' && value !== '' && ids.size < IDS_MAX) ids.add(value);
  };
  const { subject, actors } = line;
  if (isJsonObject(subject)) {
    add(subject['id']);
    add(subject['client']);
  }
  if (Array.isArray(actors)) actors.forEach(add);
  if (identity !== null) namesIn(identity.signals).forEach(add);
  ids.delete('?');
  return ids;
}

/** By what was verified, and by all that names one client alone: its key, its certificate. */
function namesIn({ token, apiKey, certificate, txnToken }: Identity['signals']): (string | null)[] {
  const names: (string | null)[] = [];
  if (token.status === 'present') {
    names.push(token.value.subject, token.value.clientId);
    // longer names than the line has room for
    let act: JsonValue | undefined = token.value.claims['act'];
    for (let depth = 0; isJsonObject(act) && depth < ACTORS_MAX; depth += 1) {
      const { sub, act: next } = act;
      if (typeof sub === 'string') names.push(sub);
      act = next;
    }
  }
  if (apiKey.status === 'present') names.push(apiKey.value.clientId, apiKey.value.id);
  if (certificate.status === 'present') {
    const { sha256, subject, serial, spiffeId, uris, dns } = certificate.value;
    names.push(sha256, subject, serial, spiffeId, ...uris, ...dns);
  }
  if (txnToken.status === 'present') names.push(txnToken.value.subject, txnToken.value.requestingWorkload);
  return names;
}

/** The network that an address is in: /24 of IPv4, /48 of IPv6. */
export function truncated(address: string): string {
  if (isIP(address) === 4) return `${address.split('.').slice(0, V4_PARTS).join('.')}.0`;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  // the four bytes of an embedded IPv4 address are two groups
  const lastGroups = last.length + (last.at(-1)?.includes('.') === true ? 1 : 0);
  const zeros = tail === undefined ? 0 : Math.max(0, V6_GROUPS - first.length - lastGroups);
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, V6_KEPT);
  while (groups.at(-1) === '0') groups.pop();
  return `${groups.join(':')}::`;
}
