import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CountersignError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import { parseStrictJson } from '../../formats/strict-json.ts';
import type { Pushed } from './documents.ts';
import { isPlainPath, rootOf } from './roots.ts';

/* The form in which pushed data is kept: one line with a digest, then JSON. */

/** All that was pushed over one policy. */
export type PushedState = {
  readonly policy: string;
  /** Counts changes, and never falls. */
  readonly revision: number;
  /** By root, the revision that changed it last. */
  readonly roots: Readonly<Record<string, number>>;
  readonly documents: readonly Pushed[];
  /** Paths, as text, whose value an operator without the role admin changed last: a bundle must leave them to operators. */
  readonly operatorPaths: readonly string[];
};

const HEAD = 'countersign-data sha256=';
export const DOCUMENTS_MAX = 1000;
export const OPERATOR_PATHS_MAX = 10_000;
/** Pushed documents are bounded by bytes; these only keep a damaged file from being worse than that. */
export const STATE_JSON_LIMITS = { depthMax: 64, keysMax: 5_000_000, protoRefused: true };

const State = z.strictObject({
  version: z.literal(1),
  policy: z.string(),
  revision: z.int().min(0),
  roots: z.record(z.string(), z.int().min(0)),
  documents: z
    .array(
      z.strictObject({
        path: z.array(z.string()),
        value: z.custom<JsonValue>((value) => value !== undefined),
        at: z.int(),
        by: z.string(),
      }),
    )
    .max(DOCUMENTS_MAX),
  operator_paths: z.array(z.string()).max(OPERATOR_PATHS_MAX),
});

/** The bytes of the state file, which `decodeState` reads. */
export function encodeState({ policy, revision, roots, documents, operatorPaths }: PushedState): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify({ version: 1, policy, revision, roots, documents, operator_paths: operatorPaths });
  return new Uint8Array(Buffer.from(`${HEAD}${createHash('sha256').update(text).digest('hex')}\n${text}`));
}

/**
 * Reads what `encodeState` wrote, and nothing else.
 * @throws CountersignError state_invalid
 */
export function decodeState(bytes: Uint8Array, policy: string): PushedState {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(10);
  const body = buffer.subarray(end + 1);
  const digest = createHash('sha256').update(body).digest('hex');
  if (end < 0 || buffer.toString('latin1', 0, end) !== `${HEAD}${digest}`) throw invalid('the digest is another');
  const parsed = parseStrictJson(body, STATE_JSON_LIMITS);
  const checked = State.safeParse(parsed.ok ? parsed.value : null);
  if (!checked.success || checked.data.policy !== policy) throw invalid('the form is another');
  const { revision, roots, documents, operator_paths: operatorPaths } = checked.data;
  if (!documents.every(({ path }) => isPlainPath(path) && rootOf(policy, path) !== null)) throw invalid('a path is not one of data');
  return { policy, revision, roots, documents, operatorPaths };
}

function invalid(detail: string): CountersignError {
  return new CountersignError('state_invalid', { detail });
}
