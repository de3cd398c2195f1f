import type { HashKey } from '../shared-store.ts';

const FORM = /^[0-9a-f]{16}$/;

/** The key as it lies in Redis: sixteen hexadecimal digits. */
export function formatHashKey([first, second]: HashKey): string {
  return [first, second].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

/** Null for anything else. */
export function parseHashKey(text: unknown): HashKey | null {
  if (typeof text !== 'string' || !FORM.test(text)) return null;
  return [Number.parseInt(text.slice(0, 8), 16), Number.parseInt(text.slice(8), 16)];
}
