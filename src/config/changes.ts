import { isDeepStrictEqual } from 'node:util';
import { type ConfigProblem, pathText } from './config-error.ts';
import { type Config, configSchema } from './schema.ts';

/** What a changed file means for a service that runs. */
export type ConfigChange =
  | { readonly refused: readonly ConfigProblem[] }
  /** `config` is what runs with what could be taken; `peps` says whether that differs. */
  | { readonly config: Config; readonly peps: boolean; readonly restart: readonly string[] };

/**
 * Holds a configuration that was read anew against the one that runs. Gateways can change while it runs; of them the monitor mode, and whether any of
 * them reports, cannot, and no other key can. What would run then is judged as a whole: a gateway that is right in the new file may be wrong beside
 * the listeners that are open.
 */
export function changeOf(running: Config, read: Config): ConfigChange {
  const fixed = pepsFixed(running, read);
  const restart = [...sectionsOf(running, read).filter((key) => key !== 'peps'), ...fixed];
  if (fixed.length > 0 || isDeepStrictEqual(running.peps, read.peps)) return { config: running, peps: false, restart };
  const judged = configSchema.safeParse({ ...running, peps: read.peps });
  if (judged.success) return { config: judged.data, peps: true, restart };
  return { refused: judged.error.issues.map(({ path, message }) => ({ path: pathText(path), message: `${message} (beside what runs)` })) };
}

function sectionsOf(running: Config, read: Config): string[] {
  const before = new Map<string, unknown>(Object.entries(running));
  return Object.entries(read).flatMap(([key, value]) => (isDeepStrictEqual(before.get(key), value) ? [] : [key]));
}

/** What parts were built by at the start. */
function pepsFixed(running: Config, read: Config): string[] {
  const monitored = ({ peps }: Config) => peps.flatMap(({ name, enforce }) => (enforce ? [] : [name])).sort();
  const reports = ({ peps }: Config) => peps.some(({ trusts }) => trusts.includes('feedback'));
  return [
    ...(isDeepStrictEqual(monitored(running), monitored(read)) ? [] : ['peps[].enforce']),
    ...(reports(running) === reports(read) ? [] : ['peps[].trusts']),
  ];
}
