import type { ApiKeyRecord, ClientRecord } from '../contract/registry.ts';
import { clientEntry } from './client-entry.ts';
import { readEntry } from './entry-forms.ts';
import { type KeyEntry, keyEntry } from './key-entry.ts';
import { type Problem, Problems } from './problem.ts';
import { type Entry, readSections, type SectionName, type SourceFile } from './sections.ts';

const SECTIONS: readonly SectionName[] = [
  { list: 'clients', one: 'client' },
  { list: 'keys', one: 'key' },
];

export type RecordBounds = {
  /** Clients, and keys, at most. */
  readonly entriesMax: number;
  /** Ids of the hash keys that digests may name; null where that is not known here, so that any will do. */
  readonly hashKeyIds: readonly string[] | null;
};

export type ParsedRecords = {
  readonly clients: readonly ClientRecord[];
  readonly apiKeys: readonly ApiKeyRecord[];
  /** Empty where all of it is sound; otherwise none of it may be used. */
  readonly problems: readonly Problem[];
};

/** Reads and judges all files as one: forms, ids that are there twice, keys of clients that are not there. */
export function parseRecords(files: readonly SourceFile[], { entriesMax, hashKeyIds }: RecordBounds): ParsedRecords {
  const problems = new Problems();
  const sections = readSections(files, SECTIONS, { entriesMax }, problems);
  const clients = new Map<string, ClientRecord>();
  const owners = new Map<string, string>();
  for (const entry of sections['clients'] ?? []) {
    const client = readEntry(clientEntry, entry, problems);
    if (client === null) continue;
    if (clients.has(client.id)) noteAt(problems, entry, 'clientId', 'is the id of another client too');
    clients.set(client.id, client);
    for (const [index, id] of client.spiffeIds.entries()) {
      if (owners.has(id)) noteAt(problems, entry, `spiffeIds[${index}]`, 'belongs to another client too');
      owners.set(id, client.id);
    }
  }
  const apiKeys = new Map<string, ApiKeyRecord>();
  for (const entry of sections['keys'] ?? []) {
    const key = readEntry(keyEntry, entry, problems);
    if (key === null) continue;
    const client = clients.get(key.client);
    if (apiKeys.has(key.id)) noteAt(problems, entry, 'id', 'is the id of another key too');
    if (client === undefined) noteAt(problems, entry, 'client', 'is no client of the registry');
    if (hashKeyIds !== null && !hashKeyIds.includes(key.hash.hashKeyId)) noteAt(problems, entry, 'hash', missingHashKey(hashKeyIds));
    if (client !== undefined) apiKeys.set(key.id, recordOf(key, client));
  }
  return { clients: [...clients.values()], apiKeys: [...apiKeys.values()], problems: problems.list };
}

function noteAt(problems: Problems, { file, line, field }: Entry, member: string, message: string): void {
  problems.add(file, line, `${field}.${member}`, message);
}

function missingHashKey(hashKeyIds: readonly string[]): string {
  return hashKeyIds.length === 0
    ? 'cannot be verified: the configuration has no registry.hashKeys'
    : 'was made with a hash key that is none of registry.hashKeys';
}

/** Scopes that a key has beyond its client's are not its own. */
function recordOf({ id, client: clientId, hash, scopes, expiresAt, networks }: KeyEntry, client: ClientRecord): ApiKeyRecord {
  const own = scopes ?? client.scopes ?? [];
  const bounded = client.scopes === null ? own : own.filter((scope) => client.scopes?.includes(scope));
  return { id, clientId, hashKeyId: hash.hashKeyId, digest: hash.digest, scopes: bounded, expiresAt, networks };
}
