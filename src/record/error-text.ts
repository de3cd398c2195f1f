import { CountersignError } from '../contract/errors.ts';
import { HIDDEN } from './redact.ts';

const TEXT_MAX = 300;
const DEPTH_MAX = 3;

/**
 * A thrown value as text for a log. Messages of other people's errors may repeat what they were given (a header, a piece of JSON, a URL),
 * so quoted texts and long words in them are hidden; ours name fields only.
 */
export function errorText(thrown: unknown): string {
  const parts: string[] = [];
  let current = thrown;
  while (current !== undefined && current !== null && parts.length < DEPTH_MAX) {
    parts.push(describeOne(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(' <- ').slice(0, TEXT_MAX);
}

function describeOne(thrown: unknown): string {
  if (thrown instanceof CountersignError) return `${thrown.code}: ${withoutValues(thrown.message)}`;
  if (thrown instanceof Error) {
    const code = 'code' in thrown && typeof thrown.code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(thrown.code) ? ` ${thrown.code}` : '';
    return `${/^\w{1,64}$/.test(thrown.name) ? thrown.name : 'Error'}${code}: ${withoutValues(thrown.message)}`;
  }
  return typeof thrown === 'string' ? withoutValues(thrown) : `a thrown ${typeof thrown}`;
}

/** Hides what stands in quotes or after `=`, numbers of many digits, and words that are too long to be words. */
function withoutValues(message: string): string {
  return message
    .slice(0, 2000)
    .replace(/"[^"]*("|$)|`[^`]*(`|$)|(?<!\w)'[^']*('(?!\w)|$)/g, HIDDEN)
    .replace(/=\S+/g, `=${HIDDEN}`)
    .replace(/\S{33,}/g, HIDDEN)
    .replace(/\d{6,}/g, HIDDEN)
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
}
