/* What data may be pushed to: DESIGN section 4. */

/** The exceptions: under the limits, and yet a document of its own, which is the service's alone and which Rego never reads. */
export const EXCEPTIONS: readonly string[] = ['countersign', 'limits', 'exceptions'];
const SEGMENTS_MAX = 16;
const SEGMENT_CHARS_MAX = 256;

/** The root that a path lies at or below, as text; null where nothing may be pushed there. */
export function rootOf(policy: string, path: readonly string[]): string | null {
  const roots = [EXCEPTIONS, ['countersign', 'limits'], ['countersign', 'routes'], ['tenants', policy]];
  const root = roots.find((one) => startsWith(path, one));
  return root === undefined ? null : pathText(root);
}

/** True for a path that no parser reads in two ways. */
export function isPlainPath(path: readonly string[]): boolean {
  return path.length <= SEGMENTS_MAX && path.every((name) => name !== '' && name !== '__proto__' && name.length <= SEGMENT_CHARS_MAX);
}

/** Whether a path lies at or below another. */
export function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.length <= path.length && start.every((name, index) => name === path[index]);
}

/** A path as it stands in an address: `countersign/limits/rate`. */
export function pathText(path: readonly string[]): string {
  return path.map(encodeURIComponent).join('/');
}

/**
 * Whether a bundle leaves a path to operators: it lies at or below one that the manifest's `metadata.mutable` lists. Exceptions are never
 * theirs, and a bundle that lists nothing leaves everything to admins.
 */
export function isMutable(path: readonly string[], mutable: readonly string[]): boolean {
  const text = pathText(path);
  return !startsWith(path, EXCEPTIONS) && mutable.some((one) => text === one || text.startsWith(`${one}/`));
}
