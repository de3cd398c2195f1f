import { createHash } from 'node:crypto';

/** A script, and what EVALSHA names it by. */
export type Script = { readonly text: string; readonly sha: string };

/** A script of this text. */
export function scriptOf(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
