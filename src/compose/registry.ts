import type { Config } from '../config/schema.ts';
import type { RunningEnricher } from '../enrich/enricher.ts';
import type { RegistryParts } from '../identify/registered.ts';
import { loadHashKeys } from '../registry/hash-keys.ts';
import { createRegistry, type RegistryFileParts, type RunningRegistry } from '../registry/registry.ts';

/** The registry, and what the identify stage reads of it. */
export type OpenRegistry = { readonly registry: RunningRegistry | null; readonly parts: RegistryParts | undefined };

/** Null where the configuration names none. Fails with `config_invalid` where a hash key cannot be had. */
export async function openRegistry(
  { registry: options }: Config,
  { addressOf }: RunningEnricher,
  parts: RegistryFileParts,
): Promise<OpenRegistry> {
  if (options === null) return { registry: null, parts: undefined };
  const hashKeys = await loadHashKeys(options.hashKeys, parts.readFile);
  const registry = createRegistry({ ...options, hashKeyIds: [...hashKeys.keys()] }, parts);
  return { registry, parts: { registry, hashKeys, addressOf } };
}
