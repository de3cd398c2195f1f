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
  /** How long the event loop has waited for something to do since the start, milliseconds. */
  readonly idleMs: () => number;
  readonly logger: Logger;
};

/** Who is let in: one for all listeners of gateways, since they share one thread and one memory. */
export interface Admission {
  readonly held: HeldBytes;
  /**
   * Asked for each question as it is taken up: true where the loop has had no rest for too long. It is counted.
   * The cost is one look at the clock, and one callback for all questions of one turn of the event loop.
   */
  late(): boolean;
  /** Counts a question that a listener turned away by its own bound. */
  crowded(): void;
  status(): OverloadStatus;
}

/** A line of the log is so far from the next one. */
const TELL_EVERY_MS = 10_000;

/** A loop that waited less had something to do all the time: asking the kernel takes some microseconds by itself. */
const REST_MIN_MS = 0.05;

/**
 * Questions that come faster than they are answered pile up in the sockets, where their age cannot be seen. What can be seen is that the loop never
 * rests: while it does, nothing is left waiting. So once it has had no rest for `queueMs` questions are turned away, at a small part of the cost of a
 * decision, until it has one: what waits is gone then, and who comes next is answered in time. A stall that questions did not make (a policy that
 * is activated, a pause of the machine) counts as a rest: those who waited for it are answered.
 */
export function createAdmission({ heldBytesMax, queueMs, clock, idleMs, logger }: AdmissionOptions): Admission {
  const shed: Record<ShedReason, number> = { in_flight: 0, bytes: 0, queue: 0 };
  const boundMs = queueMs ?? Number.POSITIVE_INFINITY;
  const stallMs = boundMs / 2;
  let inTurn = false;
  let endedAtMs = Number.NEGATIVE_INFINITY;
  let restedAtMs = 0;
  let idleSeenMs = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  function endTurn(): void {
    inTurn = false;
    endedAtMs = clock.monotonic();
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
    if (!inTurn) {
      inTurn = true;
      const idle = idleMs();
      if (idle - idleSeenMs > REST_MIN_MS || nowMs - endedAtMs > stallMs) restedAtMs = nowMs;
      idleSeenMs = idle;
      // runs right after what this turn has read
      setImmediate(endTurn);
    }
    if (nowMs - restedAtMs <= boundMs) return false;
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
