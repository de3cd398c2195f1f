import { changeOf } from '../config/changes.ts';
import { ConfigError } from '../config/config-error.ts';
import type { ConfigFile } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { ConfigStatus } from '../contract/config-status.ts';
import { asCountersignError } from '../contract/errors.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import type { ReadChangedFile } from '../stores/changed-file.ts';

type ReloadParts = {
  /** Takes gateways into force, all or none; throws where they cannot be. */
  readonly takePeps: (peps: Config['peps']) => void;
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
  let status: ConfigStatus = { state: 'in_force', changedAt: seconds(), taken: 0, refused: 0, sections: [], problems: [] };

  async function look(): Promise<void> {
    try {
      const found = await parts.readFile(path, FILE_BYTES_MAX, seen);
      if (stopped) return;
      if (found !== null) {
        seen = found.version;
        changed = true;
      } else if (changed) {
        changed = false;
        take(load());
      }
    } catch (thrown) {
      if (thrown instanceof ConfigError) refuse(thrown.problems.map((one) => `${one.path}: ${one.message}`));
      else missing(asCountersignError(thrown, 'internal_error').code);
    }
  }

  function take(read: Config): void {
    const change = changeOf(running, read);
    if ('refused' in change) {
      refuse(change.refused.map((one) => `${one.path}: ${one.message}`));
      return;
    }
    const { config, peps, restart } = change;
    if (peps) {
      try {
        parts.takePeps(config.peps);
      } catch (thrown) {
        const { field, message } = asCountersignError(thrown, 'config_invalid');
        refuse([`${field ?? 'peps'}: ${message}`]);
        return;
      }
      const names = namesChanged(running.peps, config.peps);
      running = config;
      status = { ...status, changedAt: seconds(), taken: status.taken + 1 };
      logger.info('config_reloaded', { peps: names });
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

/** Gateways that came, went, or are not what they were. */
function namesChanged(before: Config['peps'], after: Config['peps']): readonly string[] {
  const text = (one: Config['peps'][number]) => JSON.stringify(one);
  const old = new Map(before.map((one) => [one.name, text(one)]));
  const now = new Map(after.map((one) => [one.name, text(one)]));
  return [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name));
}
