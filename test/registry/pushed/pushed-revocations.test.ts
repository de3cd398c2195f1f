import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { JsonValue } from '../../../src/contract/json.ts';
import type { ListedRevocation } from '../../../src/contract/revocations.ts';
import { readStored } from '../../../src/registry/pushed/posted-form.ts';
import {
  createPushedRevocations,
  type PushedRevocationsOptions,
  type PushedRevocationsParts,
} from '../../../src/registry/pushed/pushed-revocations.ts';
import type { KeptEntries, SharedEntry } from '../../../src/stores/shared-entries.ts';
import { createMemoryLogger } from '../../endpoints/fixtures.ts';
import { createFakeShared } from './fake-shared.ts';

const NOW = 1_790_000_000;
const OPERATOR = { name: 'ann', role: 'operator' } as const;
const WAIT = { timeout: 10_000, interval: 5 };
const at = (version: number) => ({ epoch: 'e', version, head: `h${version}` });
const stored = (id: string, members: object, untilSeconds = 0): SharedEntry => ({
  id,
  untilSeconds,
  text: JSON.stringify({ ...members, reason: 'r', by: 'bob', at: NOW }),
});

async function started(parts: Partial<PushedRevocationsParts> = {}, options: Partial<PushedRevocationsOptions> = {}) {
  const logger = createMemoryLogger();
  const clock = { seconds: NOW, now: () => clock.seconds * 1000, monotonic: () => performance.now() };
  const pushed = createPushedRevocations(
    { entriesMax: 1000, pollMs: 50, required: true, ageMaxSeconds: null, ...options },
    { clock, logger, shared: null, openKept: null, ...parts },
  );
  onTestFinished(() => pushed.stop());
  await pushed.start(0);
  const add = (...values: JsonValue[]) => pushed.admin.add(values, OPERATOR);
  return { pushed, clock, logger, add };
}

const afterOf = (done: Awaited<ReturnType<Awaited<ReturnType<typeof started>>['add']>>): readonly (ListedRevocation | null)[] => {
  if ('refused' in done) throw new Error(done.refused);
  return done.changes.map(({ after }) => after);
};

describe('what is posted', () => {
  test.each<[string, JsonValue, string | undefined]>([
    ['no object', 'agent-a', undefined],
    ['nothing to revoke', { reason: 'r' }, undefined],
    ['no reason', { client: 'a' }, 'reason'],
    ['an empty reason', { client: 'a', reason: '' }, 'reason'],
    ['a client with a space', { client: 'a b', reason: 'r' }, 'client'],
    ['a key that is none', { api_key: 'short', reason: 'r' }, 'api_key'],
    ['a hash that is none', { jti_hash: 'abc', reason: 'r' }, 'jti_hash'],
    ['an unknown member', { client: 'a', reason: 'r', tenant: 'x' }, 'tenant'],
    ['two things at once', { client: 'a', sid: 's', reason: 'r' }, 'sid'],
    ['an issuer of a client', { client: 'a', issuer: 'https://x', reason: 'r' }, 'issuer'],
    ['a time as text', { issued_before: '2026-01-01', reason: 'r' }, 'issued_before'],
    ['an end as text', { client: 'a', reason: 'r', expires_at: 'soon' }, 'expires_at'],
    ['an end that is past', { client: 'a', reason: 'r', expires_at: NOW }, 'expires_at'],
    ['a certificate that is none', { certificate_sha256: 'xyz', reason: 'r' }, 'certificate_sha256'],
  ])('%s is refused, and nothing of its list is taken', async (_name, value, field) => {
    const { pushed, add } = await started();
    const alone = await add(value);
    expect(alone).toMatchObject({ refused: 'revocation_invalid', ...(field === undefined ? { detail: expect.any(String) } : { field }) });
    expect(await add({ client: 'b', reason: 'r' }, value)).toMatchObject({
      refused: 'revocation_invalid',
      field: field === undefined ? '[1]' : `[1].${field}`,
    });
    expect(pushed.revocations.entries).toBe(0);
  });

  test('one thing has one id, however it is spelt; the jti itself is kept nowhere', async () => {
    const { pushed, add } = await started();
    const [hex, spelt] = ['ab'.repeat(32), Array(32).fill('AB').join(':')];
    const [one, two] = afterOf(await add({ certificate_sha256: hex, reason: 'r' }, { certificate_sha256: spelt, reason: 'r' }));
    expect(two).toBe(undefined);
    expect(afterOf(await add({ certificate_sha256: spelt, reason: 'r' }))).toEqual([one]);
    const [token] = afterOf(await add({ jti: 'very-secret', issuer: 'https://x', reason: 'r' }));
    expect(JSON.stringify(token)).not.toContain('very-secret');
    expect(token?.kind).toBe('token');
    expect(pushed.status().entries).toBe(2);
  });

  test('as many as there may be; what is over makes room', async () => {
    const { pushed, clock, add } = await started({}, { entriesMax: 2 });
    await add({ client: 'a', reason: 'r', expires_at: NOW + 10 }, { client: 'b', reason: 'r' });
    expect(await add({ client: 'c', reason: 'r' })).toEqual({ refused: 'revocations_full' });
    expect(afterOf(await add({ client: 'b', reason: 'again' }))).toMatchObject([{ members: { client: 'b' } }]);
    clock.seconds = NOW + 10;
    await vi.waitFor(() => expect(pushed.revocations.client('a')).toBe(false), WAIT);
    expect(afterOf(await add({ client: 'c', reason: 'r' }))).toHaveLength(1);
  });
});

test('pages are in the order of the ids and miss nothing, whatever is taken out between them', async () => {
  const { pushed, add } = await started();
  await add(...Array.from({ length: 250 }, (_, index) => ({ client: `c${index}`, reason: 'r' })), { sid: 's', reason: 'r' });
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const page = pushed.admin.list({ after, limit: 100, kind: null });
    seen.push(...page.revocations.map(({ id }) => id));
    after = page.next;
    // what the next page comes after may be gone by then
    if (after !== null) await pushed.admin.remove(after);
  } while (after !== null);
  expect(seen).toHaveLength(251);
  expect(seen).toEqual([...seen].sort());
  expect(pushed.admin.list({ after: null, limit: 10, kind: 'session' })).toMatchObject({ revocations: [{ kind: 'session' }], next: null });
  expect(await pushed.admin.remove('no such')).toEqual({ refused: 'revocation_unknown' });
});

test('each change is another generation, so that no identity of before counts', async () => {
  const { pushed, add } = await started();
  const first = pushed.generation;
  const [made] = afterOf(await add({ client: 'a', reason: 'r' }));
  const second = pushed.generation;
  await pushed.admin.remove(made?.id ?? '');
  expect(new Set([first, second, pushed.generation]).size).toBe(3);
});

test('of several times the latest counts, and the one before it where that is taken back', async () => {
  const { pushed, add } = await started();
  const [, late] = afterOf(
    await add({ issued_before: 100, subject: 'alice', reason: 'r' }, { issued_before: 200, subject: 'alice', reason: 'r' }),
  );
  expect([pushed.revocations.issuedBefore('i', 'c', 'alice'), pushed.revocations.issuedBefore('i', 'c')]).toEqual([200, null]);
  await pushed.admin.remove(late?.id ?? '');
  expect(pushed.revocations.issuedBefore('i', null, 'alice')).toBe(100);
});

describe('with others', () => {
  test('what they change comes soon after they say so; what is in a form of later versions is kept, told, and revokes nothing here', async () => {
    const shared = createFakeShared();
    const { pushed } = await started({ shared });
    shared.answers.push({
      kind: 'changed',
      position: at(2),
      entries: [stored('a', { client: 'agent-a' }), stored('n', { tenant: 'x' }), stored('w', { client: 'agent-w', since: 7 })],
      removed: [],
      more: false,
    });
    shared.changed();
    await vi.waitFor(() => expect(pushed.revocations.client('agent-a')).toBe(true), WAIT);
    // a member that is not known here could only make it narrower
    expect(pushed.revocations.client('agent-w')).toBe(true);
    expect(pushed.status()).toMatchObject({ entries: 3, unreadable: 1, version: 2, state: 'ready' });
    shared.answers.push({ kind: 'changed', position: at(4), entries: [], removed: ['a', 'n'], more: false });
    await vi.waitFor(() => expect(pushed.status()).toMatchObject({ entries: 1, unreadable: 0 }), WAIT);
    expect(pushed.revocations.client('agent-a')).toBe(false);
  });

  test('everything at once takes the place of what was known', async () => {
    const shared = createFakeShared();
    const { pushed, logger } = await started({ shared });
    shared.answers.push({
      kind: 'changed',
      position: at(2),
      entries: [stored('a', { client: 'a' }), stored('b', { client: 'b' })],
      removed: [],
      more: false,
    });
    await vi.waitFor(() => expect(pushed.revocations.entries).toBe(2), WAIT);
    const all = Array.from({ length: 1200 }, (_, index) => stored(`m${index}`, { client: `m${index}` }));
    const over = stored('over', { client: 'over' }, NOW - 1);
    const entries = new Map([stored('b', { client: 'b' }), ...all, over].map((one) => [one.id, one]));
    shared.answers.push({ kind: 'all', position: at(9), entries, restored: 2 });
    await vi.waitFor(() => expect(pushed.status()).toMatchObject({ entries: 1201, version: 9, historyLost: 1 }), WAIT);
    expect(['a', 'b', 'm1199', 'over'].map((client) => pushed.revocations.client(client))).toEqual([false, true, true, false]);
    expect(logger.lines).toContainEqual({ level: 'warn', event: 'revocations_restored', fields: { entries: 2 } });
  });

  test('nobody counts before the first look; a store that fails later changes nothing but what is told', async () => {
    const shared = createFakeShared();
    const failed = { kind: 'failed', error: 'away' } as const;
    shared.answers.push(failed, failed, failed);
    const { pushed, logger } = await started({ shared });
    expect([pushed.available, pushed.status().state]).toEqual([false, 'never_loaded']);
    await vi.waitFor(() => expect(pushed.available).toBe(true), WAIT);
    shared.answers.push(...Array(4).fill(failed));
    await vi.waitFor(() => expect(pushed.status()).toMatchObject({ state: 'stale', lastError: 'store_unavailable' }), WAIT);
    expect(pushed.available).toBe(true);
    await vi.waitFor(() => expect(pushed.status().state).toBe('ready'), WAIT);
    expect(logger.lines.map(({ event }) => event)).toEqual([
      'revocations_stale',
      'revocations_ready',
      'revocations_stale',
      'revocations_ready',
    ]);
  });

  test('a store that breaks its word is a store that failed: the next look comes', async () => {
    const shared = createFakeShared();
    const { pushed } = await started({ shared });
    const { follow } = shared;
    shared.follow = () => Promise.reject(new Error('broken'));
    await vi.waitFor(() => expect(pushed.status()).toMatchObject({ state: 'stale', lastError: 'store_unavailable' }), WAIT);
    shared.follow = follow;
    await vi.waitFor(() => expect(pushed.status().state).toBe('ready'), WAIT);
  });

  test('what is known may be too old', async () => {
    const shared = createFakeShared();
    const kept: KeptEntries = { load: () => ({ entries: new Map(), position: at(3) }), write: () => undefined, close: () => undefined };
    shared.answers.push(...Array(5).fill({ kind: 'failed', error: 'away' }));
    const { pushed } = await started({ shared, openKept: () => kept }, { ageMaxSeconds: 60 });
    // out of a file, of whatever age
    expect(pushed.status()).toMatchObject({ state: 'stale', ageSeconds: null, tooOld: true });
    await vi.waitFor(() => expect(pushed.status()).toMatchObject({ state: 'ready', ageSeconds: 0, tooOld: false }), WAIT);
    shared.answers.push(...Array(5).fill({ kind: 'failed', error: 'away' }));
    await vi.waitFor(() => expect(pushed.status()).toMatchObject({ state: 'stale', tooOld: false }), WAIT);
  });

  test('a change that meets a store without its history is made once that is back', async () => {
    const shared = createFakeShared();
    const { add } = await started({ shared });
    shared.lost = true;
    expect(afterOf(await add({ client: 'a', reason: 'r' }))).toMatchObject([{ by: 'ann', at: NOW, reason: 'r' }]);
    expect(shared.put_.map((entry) => readStored(entry)?.shown.members)).toEqual([{ client: 'a' }]);
  });

  test('what is over leaves for everybody', async () => {
    const shared = createFakeShared();
    const { pushed, clock } = await started({ shared });
    shared.answers.push({ kind: 'changed', position: at(2), entries: [stored('a', { client: 'a' }, NOW + 5)], removed: [], more: false });
    await vi.waitFor(() => expect(pushed.revocations.client('a')).toBe(true), WAIT);
    clock.seconds = NOW + 5;
    await vi.waitFor(() => expect(shared.purged).toEqual(['a']), WAIT);
    expect(pushed.revocations.entries).toBe(0);
  });
});

test('a disk that fails keeps nobody from being revoked, and gets everything once it works again', async () => {
  let broken = false;
  const writes: { clear: boolean; ids: string[] }[] = [];
  const kept: KeptEntries = {
    load: () => ({ entries: new Map(), position: null }),
    write({ clear, entries }) {
      if (broken) throw new Error('no space');
      writes.push({ clear, ids: [...entries].map(({ id }) => id) });
    },
    close: () => undefined,
  };
  const { pushed, add, logger } = await started({ openKept: () => kept });
  broken = true;
  expect(await add({ client: 'a', reason: 'r' })).toMatchObject({ persisted: false });
  expect(pushed.revocations.client('a')).toBe(true);
  await add({ client: 'b', reason: 'r' });
  expect(pushed.status().lastError).toBe('state_unwritable');
  broken = false;
  expect(await add({ client: 'c', reason: 'r' })).toMatchObject({ persisted: true });
  expect(writes.map(({ clear, ids }) => [clear, ids.length])).toEqual([[false, 3]]);
  expect(logger.lines.filter(({ event }) => event === 'revocations_not_kept')).toHaveLength(1);
});
