import { z } from 'zod';
import { CountersignError } from '../../contract/errors.ts';
import type { PolicyException } from '../../contract/exceptions.ts';
import type { JsonValue } from '../../contract/json.ts';
import { createAddressList } from '../lists.ts';
import type { RuleFacts } from '../verdict.ts';
import { EXCEPTIONS, pathText } from './roots.ts';

/** How far exceptions may go. */
export type ExceptionBounds = { readonly exceptionsMax: number; readonly exceptionMaxSeconds: number };

const Entry = z
  .strictObject({
    owner: z.string().trim().min(1).max(128),
    reason: z.string().trim().min(1).max(512),
    client: z.string().min(1).max(256).optional(),
    address: z.string().max(64).optional(),
    rules: z
      .array(z.string().regex(/^[a-z_]\w*\.[a-z_]\w*$/))
      .min(1)
      .max(64),
    ends_at: z.int().min(0),
  })
  .refine(({ client, address }) => (client === undefined) !== (address === undefined), 'either client or address');
const Exceptions = z.record(z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/), Entry);

/**
 * Reads `countersign.limits.exceptions`: id to exception.
 * @throws CountersignError exception_invalid, the field is the path of what is wrong
 */
export function parseExceptions(document: JsonValue | undefined): readonly PolicyException[] {
  const parsed = Exceptions.safeParse(document ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid((issue?.path ?? []).map(String), issue?.message ?? '');
  }
  return Object.entries(parsed.data).map(([id, { client = null, address = null, ends_at: endsAt, ...rest }]) => {
    if (address !== null) checkAddress(id, address);
    return { id, ...rest, client, address, endsAt };
  });
}

function checkAddress(id: string, address: string): void {
  try {
    createAddressList([address], '');
  } catch (cause) {
    throw new CountersignError('exception_invalid', { field: `${pathText(EXCEPTIONS)}/${id}/address`, cause });
  }
}

/**
 * Refuses what a push may not bring: an end that is past or too far, a rule that is not there or that allows no exception, more than there may be.
 * What was there before is no fault of this push, whatever became of it: its end, its rules, and the bounds that were other ones then.
 * @throws CountersignError exception_invalid
 */
export function checkExceptions(
  exceptions: readonly PolicyException[],
  before: readonly PolicyException[],
  facts: { readonly codes: ReadonlySet<string>; readonly rules: ReadonlyMap<string, RuleFacts>; readonly nowSeconds: number },
  bounds: ExceptionBounds,
): void {
  const known = new Set(before.map((one) => JSON.stringify(one)));
  const brought = exceptions.filter((one) => !known.has(JSON.stringify(one)));
  if (brought.length > 0 && exceptions.length > bounds.exceptionsMax) throw invalid([], `more than ${bounds.exceptionsMax}`);
  for (const { id, endsAt, rules } of brought) {
    if (endsAt <= facts.nowSeconds) throw invalid([id, 'ends_at'], 'is past');
    if (endsAt > facts.nowSeconds + bounds.exceptionMaxSeconds)
      throw invalid([id, 'ends_at'], `is more than ${bounds.exceptionMaxSeconds} s away`);
    for (const [index, code] of rules.entries()) {
      if (!facts.codes.has(code)) throw invalid([id, 'rules', String(index)], 'is no rule of the policy');
      if (facts.rules.get(code)?.exceptions === false) throw invalid([id, 'rules', String(index)], 'allows no exception');
    }
  }
}

function invalid(path: readonly string[], detail: string): CountersignError {
  return new CountersignError('exception_invalid', { field: [pathText(EXCEPTIONS), ...path].join('/'), detail });
}

/** Finds the exceptions of a caller. */
export interface ExceptionTable {
  readonly all: readonly PolicyException[];
  /** Those of a verified client and of an address that are not over. */
  of(client: string | null, address: string | null, nowSeconds: number): readonly PolicyException[];
}

const NONE: readonly PolicyException[] = [];

/** Null where there is none, so that nothing is asked a request. */
export function createExceptionTable(exceptions: readonly PolicyException[]): ExceptionTable | null {
  if (exceptions.length === 0) return null;
  const byClient = new Map<string, PolicyException[]>();
  for (const one of exceptions) if (one.client !== null) byClient.set(one.client, [...(byClient.get(one.client) ?? []), one]);
  const byAddress = exceptions.flatMap((one) => (one.address === null ? [] : [{ one, list: createAddressList([one.address], one.id) }]));
  return {
    all: exceptions,
    of(client, address, nowSeconds) {
      const ofClient = client === null ? NONE : (byClient.get(client) ?? NONE);
      const ofAddress = address === null ? NONE : byAddress.filter(({ list }) => list.has(address)).map(({ one }) => one);
      if (ofClient.length === 0 && ofAddress.length === 0) return NONE;
      return [...ofClient, ...ofAddress].filter(({ endsAt }) => nowSeconds < endsAt);
    },
  };
}
