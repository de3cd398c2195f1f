import { createHmac, randomBytes } from 'node:crypto';

/** `current` is the one to use; `last` is still accepted, and its holder is given the current one. */
export type NonceState = 'current' | 'last' | 'unknown';

/** Nonces that need no memory (RFC 9449 section 8): everybody gets the same, made from a secret and the time. */
export interface DpopNonces {
  /** The nonce to hand out now. */
  current(nowMs: number): string;
  judge(nonce: string, nowMs: number): NonceState;
}

const NONCE_BYTES = 24;

/**
 * Nonces that change every `lifetimeSeconds`: the HMAC of the running period by the secret, so that the secret of a period is never
 * kept and replicas that share the secret agree. The period before, and the one after (a replica's clock is ahead), are accepted.
 */
export function createDpopNonces({
  secret,
  lifetimeSeconds,
}: {
  readonly secret: string | null;
  readonly lifetimeSeconds: number;
}): DpopNonces {
  const key = secret ?? randomBytes(32);
  const lifetimeMs = lifetimeSeconds * 1000;
  let period = Number.NaN;
  let [last, current, next] = ['', '', ''];

  function made(of: number): string {
    return createHmac('sha256', key).update(`countersign dpop-nonce ${of}`).digest().subarray(0, NONCE_BYTES).toString('base64url');
  }

  function turn(nowMs: number): void {
    const now = Math.floor(nowMs / lifetimeMs);
    if (now === period) return;
    period = now;
    [last, current, next] = [made(now - 1), made(now), made(now + 1)];
  }

  return {
    current(nowMs) {
      turn(nowMs);
      return current;
    },
    judge(nonce, nowMs) {
      turn(nowMs);
      // a nonce is no secret: every client is told it
      if (nonce === current || nonce === next) return 'current';
      return nonce === last ? 'last' : 'unknown';
    },
  };
}
