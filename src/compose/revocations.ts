import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { createPushedRevocations, type PushedRevocations } from '../registry/pushed/pushed-revocations.ts';
import type { SharedEntries } from '../stores/shared-entries.ts';
import { openSqliteEntries } from '../stores/sqlite-entries.ts';
import type { Stores } from './stores.ts';

const NAME = 'revocations';
const FILE = 'revocations.db';

/** What operators revoke: shared where the store is, and kept where there is a folder of state. */
export function openRevocations(
  { admin: { revocations }, operations, state: { directory } }: Config,
  { entries }: Stores,
  parts: { readonly clock: Clock; readonly logger: Logger },
): PushedRevocations {
  const shared: SharedEntries | null = entries?.(NAME, () => randomBytes(9).toString('base64url')) ?? null;
  const openKept = directory === null ? null : () => openSqliteEntries(join(directory, NAME, FILE), FILE);
  const required = revocations.required ?? operations.tokens.some(({ role }) => role !== 'viewer');
  return createPushedRevocations({ ...revocations, required }, { ...parts, shared, openKept });
}
