import { isDeepStrictEqual } from 'node:util';
import { type ConfigProblem, pathText } from './config-error.ts';
import { type Config, configSchema } from './schema.ts';

/** What can change while the service runs: taken together, or not at all. */
export const CHANGING = ['peps', 'issuers', 'lists'] as const;
export type ChangingPart = (typeof CHANGING)[number];

/** What a changed file means for a service that runs. */
export type ConfigChange =
  | { readonly refused: readonly ConfigProblem[] }
  /** `config` is what runs with what could be taken; `changed` are the parts of it that differ, `restart` the keys that were left as they run. */
  | { readonly config: Config; readonly changed: readonly ChangingPart[]; readonly restart: readonly string[] };

/**
 * Holds a configuration that was read anew against the one that runs. Gateways, issuers and lists can change while it runs; of gateways the monitor mode,
 * and whether any of them reports, cannot, and no other key can. What would run then is judged as a whole: a gateway that is right in the new file may be
 * wrong beside the listeners that are open.
 */
export function changeOf(running: Config, read: Config): ConfigChange {
  const fixed = pepsFixed(running, read);
  const restart = [...keysOf(running, read), ...fixed];
  const changed = CHANGING.filter((part) => !isDeepStrictEqual(partOf(running, part), partOf(read, part)));
  if (fixed.length > 0 || changed.length === 0) return { config: running, changed: [], restart };
  const judged = configSchema.safeParse({
    ...running,
    peps: read.peps,
    identity: { ...running.identity, issuers: read.identity.issuers },
    network: { ...running.network, lists: read.network.lists },
  });
  if (judged.success) return { config: judged.data, changed, restart };
  return { refused: judged.error.issues.map(({ path, message }) => ({ path: pathText(path), message: `${message} (beside what runs)` })) };
}

/** Of a configuration; the names in it are told in the log. */
export function partOf(config: Config, part: ChangingPart): Config['peps'] | Config['identity']['issuers'] | Config['network']['lists'] {
  if (part === 'peps') return config.peps;
  return part === 'issuers' ? config.identity.issuers : config.network.lists;
}

/** Those that differ and need a restart: `http`, and of the sections that can change in part `identity.keyWaitMs`. */
function keysOf(running: Config, read: Config): string[] {
  const changing = new Set(['peps', 'identity.issuers', 'network.lists']);
  return [
    ...differing('', running, read).filter((key) => key !== 'identity' && key !== 'network'),
    ...differing('identity.', running.identity, read.identity),
    ...differing('network.', running.network, read.network),
  ].filter((key) => !changing.has(key));
}

function differing(prefix: string, before: object, after: object): string[] {
  const old = new Map<string, unknown>(Object.entries(before));
  return Object.entries(after).flatMap(([key, value]) => (isDeepStrictEqual(old.get(key), value) ? [] : [`${prefix}${key}`]));
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
