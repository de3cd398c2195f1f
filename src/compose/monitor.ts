import type { Config } from '../config/schema.ts';
import type { MonitorStatus } from '../contract/rollout.ts';
import type { Logger, Monitor } from '../contract/stages.ts';
import { createMonitor } from '../decide/monitor.ts';
import type { MonitoredPolicy } from '../decide/policies.ts';

const NAMES_MAX = 100;

/** Monitor mode, with what `/status` shows of it; a gateway that is in it is said in the log. */
export function openMonitor(
  { peps, monitor, upstream }: Config,
  parts: { readonly logger: Logger; readonly startedAt: number; readonly monitored: () => readonly MonitoredPolicy[] },
): { readonly monitor: Monitor | null; status(): { readonly monitor?: MonitorStatus } } {
  const { logger, startedAt } = parts;
  const open = peps.filter(({ enforce }) => !enforce).map(({ name }) => ({ name, by: 'configuration' as const, since: startedAt }));
  const { critical } = monitor;
  for (const { name } of open) logger.warn('monitor_mode', { pep: name, critical });
  // without both nothing can be let pass, and nothing has to be asked
  const needed = open.length > 0 || monitor.routes === 'allowed';
  return {
    monitor: needed ? createMonitor(monitor, upstream, logger) : null,
    status() {
      const routes = parts.monitored().map(({ policy, revision, since, names }) => ({
        policy,
        by: revision,
        since,
        count: names.length,
        names: names.slice(0, NAMES_MAX),
      }));
      return open.length === 0 && routes.length === 0 ? {} : { monitor: { peps: open, routes, critical } };
    },
  };
}
