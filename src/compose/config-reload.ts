import { type ChangingPart, changeOf, partOf } from '../config/changes.ts';
import { ConfigError } from '../config/config-error.ts';
import type { ConfigFile } from '../config/load.ts';
import { revisionOf } from '../config/revision.ts';
import type { Config } from '../config/schema.ts';
import type { ConfigStatus } from '../contract/config-status.ts';
import { asCountersignError } from '../contract/errors.ts';
import type { PreparedChange } from '../contract/lifecycle.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import type { ReadChangedFile } from '../stores/changed-file.ts';
import type { PrepareChange } from './changing-parts.ts';

type ReloadParts = {
  readonly prepare: PrepareChange;
  readonly readFile: ReadChangedFile;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** The configuration file, followed while the service runs. */
export type ConfigReload = {
  start(): void;
  stop(): void;
  status(): { readonly config?: ConfigStatus };
};

/** A change is seen twice before it is read, so that a file is not read while it is written: in force within a second or so. */
const EVERY_MS = 500;
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Follows the file by its inode, size and times: a mounted volume swaps it by symbolic links, which file watchers miss. What it says is judged whole, with
 * the environment as at the start; where it is refused what was good before stays in force. Without a file there is nothing to follow.
 */
export function openConfigReload(started: Config, file: ConfigFile | null, parts: ReloadParts): ConfigReload {
  if (file === null) return { start: () => undefined, stop: () => undefined, status: () => ({}) };
  const { clock, logger } = parts;
  const { path, load } = file;
  const seconds = () => Math.floor(clock.now() / 1000);
  let running = started;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let seen: string | null = null;
  let changed = false;
  let status: ConfigStatus = {
    state: 'in_force',
    revision: revisionOf(started),
    changedAt: seconds(),
    taken: 0,
    refused: 0,
    sections: [],
    problems: [],
  };

  async function look(): Promise<void> {
    try {
      const found = await parts.readFile(path, FILE_BYTES_MAX, seen);
      if (stopped) return;
      if (found !== null) {
        seen = found.version;
        changed = true;
      } else if (changed) {
        changed = false;
        await take(load());
      }
    } catch (thrown) {
      if (thrown instanceof ConfigError) refuse(thrown.problems.map((one) => `${one.path}: ${one.message}`));
      else missing(asCountersignError(thrown, 'internal_error').code);
    }
  }

  async function take(read: Config): Promise<void> {
    const change = changeOf(running, read);
    if ('refused' in change) {
      refuse(change.refused.map((one) => `${one.path}: ${one.message}`));
      return;
    }
    const { config, changed, restart } = change;
    if (changed.length > 0) {
      const { prepared, problems } = await prepareAll(parts.prepare, config, changed);
      if (problems.length > 0 || stopped) {
        for (const one of prepared) one.discard();
        if (!stopped) refuse(problems);
        return;
      }
      // one step: nothing is awaited between the first and the last
      for (const one of prepared) one.commit();
      const names = changed.map((part) => [part, namesChanged(partOf(running, part), partOf(config, part))]);
      running = config;
      status = { ...status, revision: revisionOf(config), changedAt: seconds(), taken: status.taken + 1 };
      logger.info('config_reloaded', { revision: status.revision, ...Object.fromEntries(names) });
    } else if (status.state === 'refused') logger.info('config_recovered', {});
    if (restart.length > 0 && restart.join() !== status.sections.join()) logger.warn('config_restart_needed', { sections: restart });
    status = { ...status, state: restart.length > 0 ? 'restart_needed' : 'in_force', sections: restart, problems: [] };
  }

  function refuse(problems: readonly string[]): void {
    status = { ...status, state: 'refused', refused: status.refused + 1, problems };
    logger.warn('config_refused', { problems });
  }

  /** Looked for again each time; told once. */
  function missing(code: string): void {
    seen = null;
    changed = false;
    const problem = `file: could not be read (${code})`;
    if (!status.problems.includes(problem)) refuse([problem]);
  }

  function next(): void {
    if (stopped) return;
    timer = setTimeout(() => void look().finally(next), EVERY_MS);
    timer.unref();
  }

  return {
    start: next,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    status: () => ({ config: status }),
  };
}

/** All at once, so that their waits do not add up; a part that cannot be made is a problem, and leaves the others to be discarded. */
async function prepareAll(
  prepare: PrepareChange,
  config: Config,
  changed: readonly ChangingPart[],
): Promise<{ readonly prepared: readonly PreparedChange[]; readonly problems: readonly string[] }> {
  const prepared: PreparedChange[] = [];
  const problems: string[] = [];
  const make = async (part: ChangingPart): Promise<void> => {
    try {
      prepared.push(await prepare[part](config));
    } catch (thrown) {
      const { field, message } = asCountersignError(thrown, 'config_invalid');
      problems.push(`${field ?? part}: ${message}`);
    }
  };
  await Promise.all(changed.map(make));
  return { prepared, problems };
}

/** Gateways, issuers or lists that came, went, or are not what they were, by their names. */
function namesChanged(before: ReturnType<typeof partOf>, after: ReturnType<typeof partOf>): readonly string[] {
  const entries = (all: ReturnType<typeof partOf>) =>
    all.map((one) => ['name' in one ? one.name : one.issuer, JSON.stringify(one)] as const);
  const texts = (all: ReturnType<typeof partOf>) => Map.groupBy(entries(all), ([name]) => name);
  const [old, now] = [texts(before), texts(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((name) => String(old.get(name)) !== String(now.get(name)));
}
