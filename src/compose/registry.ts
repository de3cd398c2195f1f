import type { Config } from '../config/schema.ts';
import type { RunningEnricher } from '../enrich/enricher.ts';
import type { RegistryParts } from '../identify/registered.ts';
import { loadHashKeys } from '../registry/hash-keys.ts';
import { joinRegistry, type RevocationSource } from '../registry/joined-registry.ts';
import { createRegistry, type RegistryFileParts, type RunningRegistry } from '../registry/registry.ts';

/** The registry, and what the identify stage reads of it. */
export type OpenRegistry = { readonly registry: RunningRegistry | null; readonly parts: RegistryParts };

/** Null where the configuration names none; what operators revoke counts all the same. Fails with `config_invalid` where a hash key cannot be had. */
export async function openRegistry(
  { registry: options }: Config,
  { addressOf }: RunningEnricher,
  pushed: RevocationSource,
  parts: RegistryFileParts,
): Promise<OpenRegistry> {
  if (options === null) return { registry: null, parts: { registry: joinRegistry(null, pushed), hashKeys: new Map(), addressOf } };
  const hashKeys = await loadHashKeys(options.hashKeys, parts.readFile);
  const registry = createRegistry({ ...options, hashKeyIds: [...hashKeys.keys()] }, parts);
  return { registry, parts: { registry: joinRegistry(registry, pushed), hashKeys, addressOf } };
}
