import type { ApiKeyRecord, ClientRecord } from '../contract/registry.ts';

/** Records ready for look-up; filled once, then only read. */
export type RecordIndex = {
  readonly clients: Map<string, ClientRecord>;
  readonly apiKeys: Map<string, ApiKeyRecord>;
  /** Client ids by SPIFFE id. */
  readonly spiffeIds: Map<string, string>;
};

/** An empty index. */
export function createRecordIndex(): RecordIndex {
  return { clients: new Map(), apiKeys: new Map(), spiffeIds: new Map() };
}

/** Adds a client whose ids nobody else has: the files were judged before. */
export function addClient({ clients, spiffeIds }: RecordIndex, client: ClientRecord): void {
  clients.set(client.id, client);
  for (const spiffeId of client.spiffeIds) spiffeIds.set(spiffeId, client.id);
}
