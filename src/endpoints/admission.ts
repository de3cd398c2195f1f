import type { OverloadStatus, ShedReason } from '../contract/overload.ts';
import type { Clock, Logger } from '../contract/stages.ts';

/** Bytes of requests, bounded over all connections that share this. */
export type HeldBytes = {
  heldBytes: number;
  readonly bytesMax: number;
  /** Told of each request that found no room. */
  readonly onFull?: (() => void) | undefined;
  /** `enter` of the admission, called as a body has come to its end. */
  readonly enter?: Admission['enter'] | undefined;
};

export type AdmissionOptions = {
  readonly heldBytesMax: number;
  /** Null: nothing is turned away for having waited. */
  readonly queueMs: number | null;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
};

/** A question's work, which answers its own failures; `late`: it has waited for too long, and is to be refused. */
export type Enter = (late: boolean) => void;

/** Who is let in: one for all listeners of gateways, since they share one thread and one memory. */
export interface Admission {
  readonly held: HeldBytes;
  /**
   * Takes a question that has arrived: its work is done at once, or in a later turn of the event loop where those before it took so long that
   * reading, probes and timers had to wait. The cost is a look at the clock, and one callback for all questions of one turn.
   */
  enter(work: Enter): void;
  /** Counts a question that a listener turned away by its own bound. */
  crowded(): void;
  status(): OverloadStatus;
}

/** Questions have so much of a turn; then whatever else there is is done, and what arrived meanwhile is read. */
const TURN_MS = 5;
/** What has waited too long is turned away where those behind it would wait for so many times `queueMs`: fewer can all be answered, a little later. */
const BEHIND = 1.4;
/** And where there was always somebody waiting for so many times `queueMs`: a shorter rush is answered as far as its time goes. */
const STANDING = 5;
/** Weight of the last turn in what a question is said to take. */
const NEWEST = 0.2;
const EACH_MS_MIN = 1;
/** A line of the log is so far from the next one. */
const TELL_EVERY_MS = 10_000;

type Waiting = { readonly work: Enter; readonly atMs: number };

/**
 * A queue that can be seen. Left to the event loop, questions that come faster than they are answered stand in the sockets, where their age cannot be
 * told, and one turn answers them all, however many were read: nobody is answered in time, and those whose gateway has given up cost as much as others.
 * So a turn works for `TURN_MS`, then the loop goes round and reads what else has come. What has waited for longer than `queueMs` is turned away at a
 * small part of the cost of a decision, which keeps the wait of all others at about `queueMs`; but only where the queue has stood for some time, and where
 * more stand behind it than can be answered in time: after a pause of the process (another one had its core) all that waits is old, and can be answered at once.
 */
export function createAdmission({ heldBytesMax, queueMs, clock, logger }: AdmissionOptions): Admission {
  const shed: Record<ShedReason, number> = { in_flight: 0, bytes: 0, queue: 0 };
  const boundMs = queueMs ?? Number.POSITIVE_INFINITY;
  let queue: Waiting[] = [];
  let next = 0;
  /** Null where questions have not begun this turn. */
  let turnAtMs: number | null = null;
  /** When the queue last began to fill. */
  let emptyAtMs = 0;
  /** What one question takes while others wait, with all that is done between turns. */
  let eachMs = 0;
  let lastTurn = { atMs: 0, decided: 0 };
  let toldAtMs = Number.NEGATIVE_INFINITY;

  function count(reason: ShedReason): void {
    shed[reason] += 1;
    const nowMs = clock.monotonic();
    if (nowMs - toldAtMs < TELL_EVERY_MS) return;
    toldAtMs = nowMs;
    logger.warn('overload_shed', { reason, ...shed });
  }

  /** One that fails must not keep the others waiting. */
  function run(work: Enter, late: boolean): void {
    try {
      work(late);
    } catch (cause) {
      logger.error('question_failed', { cause });
    }
  }

  /** The end of a turn, and the beginning of the next one where somebody waits. */
  function endTurn(): void {
    turnAtMs = null;
    if (queue.length > 0) takeTurn();
  }

  /** One turn that was held up says little: it is several in a row that count. */
  function measured(ms: number): void {
    eachMs += (Math.min(ms, Math.max(EACH_MS_MIN, 2 * eachMs)) - eachMs) * NEWEST;
  }

  function takeTurn(): void {
    const startedAtMs = clock.monotonic();
    if (lastTurn.decided > 0) measured((startedAtMs - lastTurn.atMs) / lastTurn.decided);
    const stands = startedAtMs - emptyAtMs > boundMs * STANDING;
    let decided = 0;
    let nowMs = startedAtMs;
    turnAtMs = startedAtMs;
    while (next < queue.length && nowMs - startedAtMs < TURN_MS) {
      const waiting = queue[next];
      next += 1;
      if (waiting === undefined) continue;
      const late = stands && nowMs - waiting.atMs > boundMs && (queue.length - next) * eachMs > boundMs * BEHIND;
      if (late) count('queue');
      else decided += 1;
      run(waiting.work, late);
      nowMs = clock.monotonic();
    }
    if (next === queue.length) {
      queue = [];
      next = 0;
      decided = 0;
    } else if (next > queue.length / 2) {
      queue = queue.slice(next);
      next = 0;
    }
    // none where nobody waits any more: the time until the next turn is no work
    lastTurn = { atMs: startedAtMs, decided };
    setImmediate(endTurn);
  }

  function enter(work: Enter): void {
    const nowMs = clock.monotonic();
    if (turnAtMs === null) {
      turnAtMs = nowMs;
      // runs right after what this turn has read
      setImmediate(endTurn);
    }
    if (queue.length > 0 || nowMs - turnAtMs >= TURN_MS) {
      if (queue.length === 0) emptyAtMs = nowMs;
      queue.push({ work, atMs: nowMs });
    } else run(work, false);
  }

  const held: HeldBytes = { heldBytes: 0, bytesMax: heldBytesMax, onFull: () => count('bytes'), enter };
  return {
    held,
    enter,
    crowded: () => count('in_flight'),
    status: () => ({ heldBytes: held.heldBytes, heldBytesMax, waiting: queue.length - next, shed: { ...shed } }),
  };
}
