import type { ProofKeyStatus } from '../../contract/assertion.ts';
import { asCountersignError, CountersignError } from '../../contract/errors.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { ReadChangedFile } from '../../stores/changed-file.ts';
import { parseSigningKey, type SigningKey } from './signing-key.ts';

/** One configured key; exactly one of `pem` and `file` is set. */
export type SigningKeyOptions = { readonly id: string; readonly pem: string | null; readonly file: string | null };

export type SigningKeysOptions = {
  readonly keys: readonly SigningKeyOptions[];
  /** The id of the one that signs; null: the first. */
  readonly active: string | null;
};

/** The keys that sign and verify assertions, read again as their files change; the last good ones stay. */
export interface SigningKeys {
  active(): SigningKey & { readonly sign: (data: Buffer) => Buffer };
  /** The JWK set of all of them, serialised (RFC 7517 section 5). */
  published(): string;
  status(): readonly ProofKeyStatus[];
  stop(): void;
}

const BYTES_MAX = 16_384;
const EVERY_MS = 1000;
/** A replaced key is published this long, for what was signed by it here and by replicas that saw the file later. */
const REPLACED_KEPT_MS = 600_000;
/** Of one file; more are changes by mistake, and the oldest goes. */
const REPLACED_MAX = 4;

type Replaced = { readonly key: SigningKey; readonly untilMs: number };
type Slot = {
  readonly options: SigningKeyOptions;
  key: SigningKey;
  version: string | null;
  replaced: readonly Replaced[];
  lastError: string | null;
};

/**
 * Reads all keys, and looks at their files every second from then on.
 * @throws CountersignError config_invalid, the field is the key of the configuration
 */
export async function loadSigningKeys(
  options: SigningKeysOptions,
  parts: { readonly readFile: ReadChangedFile; readonly clock: Clock; readonly logger: Logger },
): Promise<SigningKeys> {
  const { readFile, clock, logger } = parts;
  const slots = await Promise.all(options.keys.map((one, index) => firstOf(one, `assertion.keys[${index}]`, readFile)));
  const signing = slots.find(({ options: { id } }) => id === options.active) ?? slots[0];
  if (signing === undefined) throw new CountersignError('config_invalid', { field: 'assertion.keys' });
  let active = signingKey(signing, `assertion.keys[${slots.indexOf(signing)}]`);
  let published: { readonly text: string; readonly untilMs: number } | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function look(): Promise<void> {
    for (const slot of slots) if (slot.options.file !== null) await lookAt(slot, slot.options.file);
    if (!stopped) timer = setTimeout(() => void look(), EVERY_MS).unref();
  }

  async function lookAt(slot: Slot, file: string): Promise<void> {
    try {
      const found = await readFile(file, BYTES_MAX, slot.version);
      if (found === null) return;
      slot.version = found.version;
      take(slot, parsed(found.bytes.toString('utf8')));
      slot.lastError = null;
    } catch (thrown) {
      const { message } = asCountersignError(thrown, 'fetch_failed');
      if (slot.lastError !== message) logger.warn('assertion_key_failed', { key: slot.options.id, error: message });
      slot.lastError = message;
      slot.version = null;
    }
  }

  function take(slot: Slot, key: SigningKey): void {
    if (key.kid === slot.key.kid) return;
    if (slot === signing) active = signingKey({ ...slot, key }, 'the key');
    const before = { key: slot.key, untilMs: clock.monotonic() + REPLACED_KEPT_MS };
    slot.replaced = [before, ...slot.replaced.filter(({ key: { kid } }) => kid !== key.kid)].slice(0, REPLACED_MAX);
    slot.key = key;
    published = null;
    logger.info('assertion_key_replaced', { key: slot.options.id, kid: key.kid, before: before.key.kid });
  }

  function publish(nowMs: number): { readonly text: string; readonly untilMs: number } {
    for (const slot of slots) slot.replaced = slot.replaced.filter(({ untilMs }) => untilMs > nowMs);
    const replaced = slots.flatMap((slot) => slot.replaced);
    const byKid = new Map([...slots.map(({ key }) => key), ...replaced.map(({ key }) => key)].map((key) => [key.kid, key]));
    const keys = [...byKid.values()].map(({ kid, algorithm, jwk }) => ({ ...jwk, kid, alg: algorithm, use: 'sig' }));
    return { text: JSON.stringify({ keys }), untilMs: Math.min(...replaced.map(({ untilMs }) => untilMs)) };
  }

  timer = setTimeout(() => void look(), EVERY_MS).unref();
  return {
    active: () => active,
    published() {
      const nowMs = clock.monotonic();
      if (published === null || published.untilMs <= nowMs) published = publish(nowMs);
      return published.text;
    },
    status: () =>
      slots.flatMap((slot): ProofKeyStatus[] => [
        statusOf(slot, slot.key, slot === signing ? 'active' : 'published'),
        ...slot.replaced.filter(({ untilMs }) => untilMs > clock.monotonic()).map(({ key }) => statusOf(slot, key, 'replaced')),
      ]),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function firstOf(options: SigningKeyOptions, field: string, readFile: ReadChangedFile): Promise<Slot> {
  const { pem, file } = options;
  try {
    const found = file === null ? null : await readFile(file, BYTES_MAX, null);
    const key = parsed(found?.bytes.toString('utf8') ?? pem ?? '');
    return { options, key, version: found?.version ?? null, replaced: [], lastError: null };
  } catch (cause) {
    const { message } = asCountersignError(cause, 'fetch_failed');
    throw new CountersignError('config_invalid', { field: `${field}.${file === null ? 'pem' : 'file'}`, detail: message, cause });
  }
}

function parsed(pem: string): SigningKey {
  const read = parseSigningKey(pem);
  if ('problem' in read) throw new CountersignError('fetch_failed', { detail: read.problem });
  return read;
}

function signingKey({ key }: Pick<Slot, 'key'>, field: string): SigningKey & { readonly sign: (data: Buffer) => Buffer } {
  const { sign } = key;
  if (sign === null) throw new CountersignError('config_invalid', { field, detail: 'signs, and has no private key' });
  return { ...key, sign };
}

function statusOf(slot: Slot, { kid, algorithm }: SigningKey, use: ProofKeyStatus['use']): ProofKeyStatus {
  return { id: slot.options.id, kid, algorithm, use, lastError: use === 'replaced' ? null : slot.lastError };
}
