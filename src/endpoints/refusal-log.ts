import type { ErrorCode } from '../contract/codes.ts';
import type { Clock, Logger } from '../contract/stages.ts';

/** Lines of one code are this far apart at least; metrics count every refusal. */
const EVERY_MS = 1000;

type Seen = { toldAtMs: number; untold: number };

/**
 * Tells refusals to the operational log, at most one a second for each code: whoever is refused, nobody knows who, must not be able to fill a
 * disk. `untold` is how many of this code were left out since the line before.
 */
export function createRefusalLog(
  logger: Logger,
  clock: Pick<Clock, 'monotonic'>,
): (event: string, code: ErrorCode, fields: Readonly<Record<string, unknown>>) => void {
  const seen = new Map<ErrorCode, Seen>();
  return (event, code, fields) => {
    const nowMs = clock.monotonic();
    const before = seen.get(code);
    if (before !== undefined && nowMs - before.toldAtMs < EVERY_MS) {
      before.untold += 1;
      return;
    }
    seen.set(code, { toldAtMs: nowMs, untold: 0 });
    logger.info(event, { code, ...fields, untold: before?.untold ?? 0 });
  };
}
