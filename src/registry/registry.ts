import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiKeyRecord, Registry } from '../contract/registry.ts';
import type { RegistryStatus } from '../contract/registry-status.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import { loadInBackground, type Receiver } from './background.ts';
import { createEndingKeys } from './key-ends.ts';
import { judgeBytes, type LoadBounds, refusedBefore } from './load-files.ts';
import type { Refusal } from './problem.ts';
import { addClient, createRecordIndex } from './record-index.ts';
import { createRevocationIndex } from './revocation-index.ts';
import type { Found, Part } from './source-files.ts';
import { createWatchedPart } from './watched-part.ts';

export type RegistryOptions = {
  /** Folder with the files. */
  readonly directory: string;
  /** Clients, keys, and revocations, at most. */
  readonly entriesMax: number;
  /** Of the records' files together, and of the revocations'. */
  readonly bytesMax: number;
  /** Ids of the hash keys that there are. */
  readonly hashKeyIds: readonly string[];
};

export type RegistryFileParts = { readonly clock: Clock; readonly logger: Logger; readonly readFile: ReadDocumentFile };

/** The registry with its background work. */
export type RunningRegistry = Registry & {
  /** Loads, and goes on looking for changes; resolves once both halves were read, or after `waitMs` where it is given. Never rejects. */
  start(waitMs?: number): Promise<void>;
  stop(): void;
  status(): RegistryStatus;
};

/** Files up to this size are read where decisions are made, since starting a thread takes longer than they do (10 ms at most). */
const INLINE_BYTES_MAX = 16_384;

/** The declared callers, out of files. Nothing is read before `start`; until then nobody is known and nothing available. */
export function createRegistry(options: RegistryOptions, { clock, logger, readFile }: RegistryFileParts): RunningRegistry {
  const bounds: LoadBounds = options;
  let records = createRecordIndex();
  let endingKeys = createEndingKeys();
  let revocations = createRevocationIndex();
  let generation = 1;
  /** Content that was loaded once stays, so that nothing is ever taken out of here. */
  const loaded = new Set<Part>();

  /** Fills what is not in use yet, and puts it into use whole. */
  async function load(part: Part, { files }: Found, stopping: AbortSignal): Promise<Refusal | null> {
    const refused = refusedBefore(part, files, bounds);
    if (refused !== null) return refused;
    const nextRecords = createRecordIndex();
    const nextEndingKeys = createEndingKeys();
    const nextRevocations = createRevocationIndex();
    const receiver: Receiver = {
      client: (client) => addClient(nextRecords, client),
      apiKey(apiKey) {
        nextRecords.apiKeys.set(apiKey.id, apiKey);
        nextEndingKeys.add(apiKey);
      },
      revocation: (revocation) => nextRevocations.add(revocation),
    };
    const small = files.reduce((sum, { bytes }) => sum + bytes, 0) <= INLINE_BYTES_MAX;
    const refusal = small ? await loadHere(part, files, receiver) : await loadInBackground({ part, files, bounds }, receiver, stopping);
    if (refusal !== null) return refusal;
    if (part === 'records') [records, endingKeys] = [nextRecords, nextEndingKeys];
    else revocations = nextRevocations;
    loaded.add(part);
    generation++;
    return null;
  }

  async function loadHere(part: Part, files: Found['files'], receiver: Receiver): Promise<Refusal | null> {
    const read = await Promise.all(files.map(async ({ name, path }) => ({ name, bytes: await readFile(path, INLINE_BYTES_MAX) })));
    const loaded = judgeBytes(part, read, bounds);
    if (!loaded.ok) return loaded;
    for (const client of loaded.records?.clients ?? []) receiver.client(client);
    for (const apiKey of loaded.records?.apiKeys ?? []) receiver.apiKey(apiKey);
    for (const revocation of loaded.revocations?.revocations ?? []) receiver.revocation(revocation);
    return null;
  }

  const isGood = ({ id, clientId }: ApiKeyRecord): boolean =>
    !revocations.apiKey(id) && !revocations.client(clientId) && records.clients.get(clientId)?.status === 'active';

  const watched = (part: Part, counts: () => Readonly<Record<string, number>>) =>
    createWatchedPart({
      directory: options.directory,
      part,
      load: (found, stopping) => load(part, found, stopping),
      counts,
      clock,
      logger,
    });
  const recordFiles = watched('records', () => ({ clients: records.clients.size, api_keys: records.apiKeys.size }));
  const revocationFiles = watched('revocations', () => ({ entries: revocations.entries }));

  return {
    get generation() {
      return generation;
    },
    get available() {
      return loaded.size === 2;
    },
    client: (id) => records.clients.get(id) ?? null,
    clientOfSpiffeId: (spiffeId) => records.spiffeIds.get(spiffeId) ?? null,
    apiKey: (id) => records.apiKeys.get(id) ?? null,
    get revocations() {
      return revocations;
    },
    async start(waitMs) {
      const read = Promise.all([recordFiles.start(), revocationFiles.start()]);
      if (waitMs === undefined) await read;
      else await Promise.race([read, sleep(waitMs, undefined, { ref: false })]);
    },
    stop() {
      recordFiles.stop();
      revocationFiles.stop();
    },
    status: () => ({
      records: {
        ...recordFiles.status(),
        clients: records.clients.size,
        apiKeys: records.apiKeys.size,
        keyEnds: endingKeys.at(clock.now() / 1000, generation, isGood),
      },
      revocations: { ...revocationFiles.status(), entries: revocations.entries },
    }),
  };
}
