import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';

/** What the API server counts and keeps for itself. */
const OWN = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp'];

/** An object without what the API server writes of it by itself. */
export function contentOf(object: JsonObject | null | undefined): JsonObject | null {
  if (object === null || object === undefined) return null;
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !OWN.includes(key))) };
}

/**
 * An object as it may not change by an upgrade to the same. Of a claim that was made by server-side apply (Helm 4), the API server writes the
 * same content anew at the next apply, and then no more.
 */
export function unchanging(object: JsonObject | null): JsonObject | null {
  if (object?.['kind'] !== 'PersistentVolumeClaim' || !isJsonObject(object['metadata'])) return object;
  const { resourceVersion: _, ...metadata } = object['metadata'];
  return { ...object, metadata };
}

/** Content but for the addresses that a Service gets each time it is made. */
export function withoutAddresses(object: JsonObject | null): JsonObject | null {
  const content = contentOf(object);
  const spec = content?.['spec'];
  if (content?.['kind'] !== 'Service' || !isJsonObject(spec) || spec['clusterIP'] === 'None') return content;
  const { clusterIP: _, clusterIPs: __, ...rest } = spec;
  return { ...content, spec: rest };
}

/**
 * What was rendered and is not stored so: dropped, or changed. The API server adds defaults, which is no difference. An empty list
 * that it leaves out is one: whoever applies the object again finds it missing each time.
 */
export function differences(rendered: unknown, stored: unknown, path = ''): string[] {
  if (Array.isArray(rendered)) {
    if (!Array.isArray(stored) || stored.length !== rendered.length) return [`${path}: ${brief(rendered)} became ${brief(stored)}`];
    return rendered.flatMap((value, index) => differences(value, stored[index], `${path}[${index}]`));
  }
  if (isJsonObject(rendered)) {
    if (!isJsonObject(stored)) return [`${path}: ${brief(rendered)} became ${brief(stored)}`];
    return Object.entries(rendered).flatMap(([key, value]) => differences(value, stored[key], `${path}.${key}`));
  }
  return rendered === stored ? [] : [`${path}: ${brief(rendered)} became ${brief(stored)}`];
}

function brief(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 200);
}
