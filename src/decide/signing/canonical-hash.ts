import { createHash, getHashes } from 'node:crypto';
import { parse } from 'yaml';

/* How OPA hashes a file of a bundle (v1/bundle/hash.go): structured documents by their content, whatever their layout; others by their bytes. */

/** OPA's names of hashes to those of OpenSSL. */
const HASHES: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
  'SHA-512-224': 'sha512-224',
  'SHA-512-256': 'sha512-256',
};

/** The hash of a file in lower-case hex; null for an algorithm that OPA does not know, or a structured file that cannot be parsed. */
export function hashFile(path: string, content: Uint8Array, algorithm: string): string | null {
  const name = Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm] : undefined;
  if (name === undefined || !getHashes().includes(name)) return null;
  const bytes = isStructured(path) ? canonicalOf(path, content) : content;
  return bytes === null ? null : createHash(name).update(bytes).digest('hex');
}

/** OPA's IsStructuredDoc: data and the manifest, in any folder. */
function isStructured(path: string): boolean {
  return /(^|\/)(data\.json|data\.ya?ml|\.manifest)$/.test(path);
}

function canonicalOf(path: string, content: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    const value: unknown = /\.ya?ml$/.test(path) ? parse(text, { maxAliasCount: 100 }) : parseKeepingNumbers(text);
    return canonical(value);
  } catch {
    return null;
  }
}

/** A number as it was written: `1.0` and `1` are two texts, and the hash is over the text. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function parseKeepingNumbers(text: string): unknown {
  // the third argument is newer than its type
  const keep = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && context?.source !== undefined ? new NumberText(context.source) : value;
  return JSON.parse(text, keep);
}

/** JSON without spaces, members sorted by the bytes of their names, strings as Go's encoder writes them without escaping HTML. */
function canonical(value: unknown): string {
  if (value instanceof NumberText) return value.text;
  if (typeof value === 'string') return stringOf(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${members.map(([name, member]) => `${stringOf(name)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

function stringOf(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
