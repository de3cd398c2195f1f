import { createHash } from 'node:crypto';
import type { JsonObject } from '../contract/json.ts';

/** What a build puts into the bundle, or adds later, and is no part of what it names. */
const UNNAMED = new Set(['.manifest', '.signatures.json']);

/**
 * The name that a build gives what it makes, where nobody chose another: a hash of all that is in it. What bears this name is no other policy.
 * @param metadata what Countersign keeps in the manifest
 */
export function contentRevision(files: ReadonlyMap<string, string | Uint8Array>, metadata: JsonObject): string {
  const paths = [...files.keys()].filter((path) => !UNNAMED.has(path)).sort();
  const hash = createHash('sha256').update(JSON.stringify(metadata));
  for (const path of paths) hash.update(`\0${path}\0`).update(files.get(path) ?? '');
  return hash.digest('hex').slice(0, 16);
}
