/* What `countersign doctor` finds out before a service is started, or beside one that runs. */

/** One thing that was looked at. Texts name what is wrong, and hold no secret. */
export type Finding = {
  /** What was looked at: `policy`, `redis`, … */
  readonly check: string;
  /** Which of several, by its name in the configuration; null where there is one. */
  readonly subject: string | null;
  /** `failed`: the service cannot do its work so; `warning`: it can, and will not for ever. */
  readonly status: 'ok' | 'warning' | 'failed';
  /** What was found. */
  readonly message: string;
  /** What to do; null where it is well. */
  readonly remedy: string | null;
};

/** One address database. */
export type DatabaseFound = {
  readonly state: 'ready' | 'missing' | 'broken';
  readonly error: string | null;
  readonly ageSeconds: number | null;
};

/** What Redis said. */
export type RedisFound =
  | {
      readonly ok: true;
      /** Unix milliseconds by its own clock, at the middle of the question. */
      readonly aheadMs: number;
      readonly tookMs: number;
      readonly version: string | null;
      /** `maxmemory-policy`; null where it may not be asked. */
      readonly evicts: string | null;
    }
  | { readonly ok: false; readonly error: string };

/** What the keys of an issuer came to. */
export type KeysFound =
  | {
      readonly ok: true;
      readonly keys: number;
      /** By how much its clock is ahead, milliseconds, good to a second; null where it did not say, or its keys are a file. */
      readonly aheadMs: number | null;
      /** Of the file. */
      readonly ageSeconds: number | null;
      /** Unix seconds when the first of the keys ends (`exp`, or the certificate of its `x5c`). */
      readonly endsAt: number | null;
    }
  | { readonly ok: false; readonly error: string; readonly step: 'discovery' | 'keys' };

/** One list of addresses or AS numbers, read as the service does. */
export type ListFound = {
  readonly name: string;
  readonly state: 'ready' | 'stale' | 'never_loaded' | 'held_back';
  readonly tooOld: boolean;
  readonly entries: number;
  readonly error: string | null;
};

/** What somebody who was asked for nothing answered: null where it went well, else a stable code or text of what went wrong. */
export type ProbeFound = { readonly error: string | null };

/** One policy, loaded as the service does. */
export type PolicyFound = (
  | { readonly ok: true; readonly revision: string; readonly rules: number; readonly routes: number }
  | { readonly ok: false; readonly code: string; readonly text: string }
) & {
  /** Null, or left out, where it has none. */
  readonly candidate?: ProbeFound | null;
};
