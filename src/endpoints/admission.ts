import type { OverloadStatus, ShedReason } from '../contract/overload.ts';
import type { Clock, Logger } from '../contract/stages.ts';

/** Bytes of requests, bounded over all connections that share this. */
export type HeldBytes = {
  heldBytes: number;
  readonly bytesMax: number;
  /** Told of each request that found no room. */
  readonly onFull?: (() => void) | undefined;
  /** `late` of the admission, asked as a body has come to its end. */
  readonly late?: (() => boolean) | undefined;
};

export type AdmissionOptions = {
  readonly heldBytesMax: number;
  /** Null: nothing is turned away for having waited. */
  readonly queueMs: number | null;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
};

/** Who is let in: one for all listeners of gateways, since they share one thread and one memory. */
export interface Admission {
  readonly held: HeldBytes;
  /**
   * Asked for each question as it is taken up: true where it has stood behind others for too long. It is counted.
   * The cost is one look at the clock, and one callback for all questions of one turn of the event loop.
   */
  late(): boolean;
  /** Counts a question that a listener turned away by its own bound. */
  crowded(): void;
  status(): OverloadStatus;
}

/** A line of the log is so far from the next one. */
const TELL_EVERY_MS = 10_000;

/**
 * Questions that have arrived while the loop was busy are read in one turn of it, one behind the other. Where they come faster than they are
 * answered, each turn is longer than the one before, without an end. So what is not taken up within `queueMs` of its turn is turned away, at a small
 * part of the cost of a decision: turns stay that short, and who is answered is answered in time.
 */
export function createAdmission({ heldBytesMax, queueMs, clock, logger }: AdmissionOptions): Admission {
  const shed: Record<ShedReason, number> = { in_flight: 0, bytes: 0, queue: 0 };
  const boundMs = queueMs ?? Number.POSITIVE_INFINITY;
  let turnAtMs: number | null = null;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  function endTurn(): void {
    turnAtMs = null;
  }

  function count(reason: ShedReason): void {
    shed[reason] += 1;
    const nowMs = clock.monotonic();
    if (nowMs - toldAtMs < TELL_EVERY_MS) return;
    toldAtMs = nowMs;
    logger.warn('overload_shed', { reason, ...shed });
  }

  function late(): boolean {
    const nowMs = clock.monotonic();
    if (turnAtMs === null) {
      turnAtMs = nowMs;
      // runs right after what this turn has read
      setImmediate(endTurn);
      return false;
    }
    if (nowMs - turnAtMs <= boundMs) return false;
    count('queue');
    return true;
  }

  const held: HeldBytes = { heldBytes: 0, bytesMax: heldBytesMax, onFull: () => count('bytes'), late };
  return {
    held,
    late,
    crowded: () => count('in_flight'),
    status: () => ({ heldBytes: held.heldBytes, heldBytesMax, shed: { ...shed } }),
  };
}
