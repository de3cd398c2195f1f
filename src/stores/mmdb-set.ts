import { type MmdbDatabase, namesOf, openMmdb } from './mmdb.ts';
import type { StoreLogger } from './store-logger.ts';

/** A configured file: its path, or the path with how often to look whether it was replaced. */
export type MmdbEntry = string | { readonly file: string; readonly refreshSeconds: number };

/** Looks every two seconds; a file counts when it has not changed between two looks: within about five seconds of its coming. */
const REFRESH_SECONDS = 2;

/** The configured databases, in the order of the configuration. */
export interface MmdbSet {
  readonly databases: readonly MmdbDatabase[];
  /** Ends the looking. */
  stop(): void;
}

/**
 * Opens the files and from then on looks for replacements, by name and not by a watch: a rename, a mounted ConfigMap that swaps a link and
 * a network file system are all seen alike. Timers do not keep the process alive.
 */
export async function openMmdbSet(entries: readonly MmdbEntry[], logger: StoreLogger): Promise<MmdbSet> {
  const options = entries.map((entry) => (typeof entry === 'string' ? { file: entry, refreshSeconds: REFRESH_SECONDS } : entry));
  const names = namesOf(options.map(({ file }) => file));
  const databases = await Promise.all(options.map(({ file }, index) => openMmdb(file, names[index] ?? file, logger)));
  const timers = new Map<number, NodeJS.Timeout>();
  let stopped = false;

  function schedule(index: number): void {
    const database = databases[index];
    if (stopped || database === undefined) return;
    const again = () => void database.refresh().then(() => schedule(index));
    timers.set(index, setTimeout(again, (options[index]?.refreshSeconds ?? REFRESH_SECONDS) * 1000).unref());
  }
  for (const index of databases.keys()) schedule(index);

  return {
    databases,
    stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
