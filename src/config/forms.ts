import { isIP } from 'node:net';
import { z } from 'zod';

/** Mark of a value that is a path of a file or folder: made absolute by `paths.ts`. Ends up in the JSON Schema. */
export const PATH_MARK = 'x-path';
/** Mark of a value that must not be shown: `hash` is hidden whole, `url` keeps all but its password and query. */
export const SECRET_MARK = 'x-secret';

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** RFC 9110 section 5.1, lower case only. */
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** SHA-256 of nothing at all: what a forgotten token hashes to. */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** A host name in lower case or an IP address without brackets. */
export const host = z
  .string()
  .refine((value) => isIP(value) !== 0 || HOST_NAME.test(value), 'must be an IP address or a host name in lower case');

/** A TCP port; 0 asks the system for a free one. */
export const port = z.int().min(0).max(65535);

/** A name that may be a metric label and part of a header: short, lower case. */
export const name = z.string().regex(NAME, 'must be 1 to 64 of a-z, 0-9, "-" and "_", and begin with a letter or digit');

/** A DNS name in lower case, no wildcard. */
export const dnsName = z
  .string()
  .refine((value) => isIP(value) === 0 && HOST_NAME.test(value), 'must be a DNS name in lower case, without a wildcard');

export const headerName = z.string().toLowerCase().regex(HEADER_NAME, 'must be a header name');

/** Lower-case hex of a SHA-256. */
export const sha256 = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 as 64 hexadecimal digits')
  .refine((value) => value !== EMPTY_SHA256, 'is the SHA-256 of an empty text');

/** The SHA-256 of a secret token: masked wherever the configuration is shown. */
export const tokenSha256 = sha256.meta({ [SECRET_MARK]: 'hash' });

/** A path of a file or a folder; `paths.ts` says what a relative one is relative to. */
export const filePath = z
  .string()
  .min(1, 'must name a file')
  .refine((value) => !value.includes('\0') && !/^[a-z][a-z0-9+.-]+:\/\//i.test(value), 'must be a path, not a URL')
  .meta({ [PATH_MARK]: true });

/** An absolute http or https URL without a user, a password and a fragment, safe inside a quoted header parameter. */
export const httpUrl = z.string().refine((value) => {
  if (!/^https?:\/\/[^\s"\\<>]+$/.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return url.username === '' && url.password === '' && url.hash === '';
}, 'must be an http or https URL without credentials and fragment');

/** One address or one block in CIDR form, IPv4 or IPv6. */
export const addressBlock = z.string().refine((value) => {
  const [address = '', prefix, more] = value.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined || address.includes('%')) return false;
  return prefix === undefined || (/^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}, 'must be an IP address or a block such as 10.0.0.0/8');

/** True where a host of ours can be reached from this machine only. */
export function isLoopback(hostName: string): boolean {
  const bare = hostName.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** True for https, and for http to loopback, where no network lies between. */
export function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

type Issue = { readonly path?: readonly PropertyKey[] | undefined; readonly code?: unknown };
type Payload = { readonly value: unknown; readonly issues: readonly Issue[] };

/**
 * A `when` for rules that look at several keys (dotted paths): the rule runs although other keys are wrong, so that one start lists
 * every problem, and it is left out where a key that it reads is wrong itself.
 */
export function whenSound(...keys: readonly string[]): (payload: Payload) => boolean {
  const paths = keys.map((key) => key.split('.'));
  return ({ value, issues }) =>
    typeof value === 'object' && value !== null && !issues.some((issue) => paths.some((path) => touches(issue, path)));
}

/** True where an issue lies at, below or above a path; an unknown key above it does no harm. */
function touches(issue: Issue, path: readonly string[]): boolean {
  const at = issue.path ?? [];
  if (at.length < path.length && (issue.code === 'unrecognized_keys' || issue.code === 'custom')) return false;
  return at.every((part, index) => index >= path.length || part === path[index]);
}

/** Indexes of values that an earlier index already holds; null counts as no value. */
export function repeated(values: readonly (string | null)[]): number[] {
  const seen = new Set<string>();
  const again: number[] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    if (seen.has(value)) again.push(index);
    seen.add(value);
  }
  return again;
}
