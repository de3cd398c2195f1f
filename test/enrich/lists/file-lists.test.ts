import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hashList } from '../../../src/enrich/lists/parse-list.ts';
import { UNSLICED } from '../../../src/enrich/lists/slices.ts';
import { createTestLists, listOptions, NOW_MS, namesOf, type TestLists } from './fixtures.ts';

let folder: string;
let file: string;
let running: TestLists['lists'][] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  folder = mkdtempSync(join(tmpdir(), 'countersign-lists-'));
  file = join(folder, 'drop.txt');
});
afterEach(() => {
  for (const lists of running) lists.stop();
  running = [];
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const addresses = (count: number): string => Array.from({ length: count }, (_, index) => `192.0.2.${index}\n`).join('');

async function started(...options: Parameters<typeof createTestLists>): Promise<TestLists> {
  const made = createTestLists(...options);
  running.push(made.lists);
  await made.lists.start();
  return made;
}

/** The file is looked at every 2 s: within three looks the change must be seen. */
async function settles(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 6000, interval: 100 });
}

const stateOf = ({ lists }: TestLists, at = 0) => lists.status()[at] ?? expect.fail('no such list');

describe('a list in a file', () => {
  test('is loaded at start, and says so', async () => {
    writeFileSync(file, `${addresses(20)}x\n`);
    utimesSync(file, NOW_MS / 1000 - 60, NOW_MS / 1000 - 60);
    const made = await started({ lists: [listOptions({ file })] });
    expect(namesOf(made.lists, '192.0.2.19')).toEqual(['drop']);
    expect(namesOf(made.lists, '192.0.2.20')).toEqual([]);
    expect(stateOf(made)).toEqual({
      ...{ name: 'drop', kind: 'addresses', state: 'ready', entries: 20, ranges: 1, badLines: 1, ageSeconds: 60, tooOld: false },
      ...{ sha256: await hashList(Buffer.from(`${addresses(20)}x\n`), UNSLICED), heldBack: null, lastError: null },
    });
    expect(made.log.lines).toMatchObject([{ level: 'info', event: 'list_loaded', fields: { list: 'drop', entries: 20, bad_lines: 1 } }]);
  });

  test('is taken anew after a rename over it, and after a write into it', async () => {
    writeFileSync(file, addresses(2));
    const made = await started({ lists: [listOptions({ file })] });
    writeFileSync(join(folder, 'next'), '198.51.100.1\n198.51.100.2\n');
    renameSync(join(folder, 'next'), file);
    await settles(() => expect(namesOf(made.lists, '198.51.100.2')).toEqual(['drop']));
    expect(namesOf(made.lists, '192.0.2.1')).toEqual([]);
    writeFileSync(file, '203.0.113.1\n203.0.113.2\n');
    await settles(() => expect(namesOf(made.lists, '203.0.113.2')).toEqual(['drop']));
  });

  test('is taken anew after a swap of symbolic links, as Kubernetes does it', async () => {
    const [before, after] = [join(folder, '..2026_1'), join(folder, '..2026_2')];
    for (const [directory, text] of [
      [before, addresses(2)],
      [after, '198.51.100.1\n198.51.100.2\n'],
    ] as const) {
      mkdirSync(directory);
      writeFileSync(join(directory, 'drop.txt'), text);
    }
    symlinkSync(before, join(folder, '..data'));
    symlinkSync(join('..data', 'drop.txt'), file);
    const made = await started({ lists: [listOptions({ file })] });
    expect(namesOf(made.lists, '192.0.2.1')).toEqual(['drop']);
    symlinkSync(after, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await settles(() => expect(namesOf(made.lists, '198.51.100.1')).toEqual(['drop']));
    expect(namesOf(made.lists, '192.0.2.1')).toEqual([]);
  });

  test('that cannot be used any more stays as it was, and that is seen until it can', async () => {
    writeFileSync(file, addresses(2));
    const made = await started({ lists: [listOptions({ file })] });
    unlinkSync(file);
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'stale', lastError: 'fetch_failed', entries: 2 }));
    writeFileSync(file, '<html>\n');
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'stale', lastError: 'list_invalid', entries: 2 }));
    writeFileSync(file, '# nothing\n');
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'stale', lastError: 'list_too_short', entries: 2 }));
    writeFileSync(file, 'x'.repeat(100_001));
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'stale', lastError: 'fetch_too_large', entries: 2 }));
    expect(namesOf(made.lists, '192.0.2.1')).toEqual(['drop']);
    writeFileSync(file, addresses(3));
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'ready', lastError: null, entries: 3 }));
  });

  test('that was never loaded is unavailable and not empty', async () => {
    const made = await started({ lists: [listOptions({ file }), listOptions({ name: 'empty', file: join(folder, 'empty') })] });
    expect(stateOf(made)).toMatchObject({ state: 'never_loaded', entries: 0, ageSeconds: null, lastError: 'fetch_failed' });
    const address = { family: 4, text: '192.0.2.1', groups: [0xc000, 0x0201] } as const;
    expect(made.lists.match(address, null, false)).toEqual({
      hits: [],
      unavailable: [
        { name: 'drop', tags: ['malicious'], code: 'never_loaded' },
        { name: 'empty', tags: ['malicious'], code: 'never_loaded' },
      ],
      kinds: [],
    });
    writeFileSync(file, addresses(2));
    await settles(() => expect(namesOf(made.lists, '192.0.2.1')).toEqual(['drop']));
    expect(made.lists.match(address, null, false).unavailable).toEqual([{ name: 'empty', tags: ['malicious'], code: 'never_loaded' }]);
  });

  test('is too old by the time that it was written, also where it is read again and again', async () => {
    writeFileSync(file, addresses(2));
    utimesSync(file, NOW_MS / 1000 - 50, NOW_MS / 1000 - 50);
    const made = await started({ lists: [listOptions({ file, ageMaxSeconds: 60 })] });
    const address = { family: 4, text: '192.0.2.1', groups: [0xc000, 0x0201] } as const;
    expect(made.lists.match(address, null, false)).toMatchObject({ hits: [{ ageSeconds: 50, stale: false }], unavailable: [] });
    made.clock.pass(11_000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(made.lists.match(address, null, false)).toMatchObject({
      hits: [{ name: 'drop', ageSeconds: 61, stale: true }],
      unavailable: [{ name: 'drop', code: 'too_old' }],
    });
    expect(stateOf(made)).toMatchObject({ state: 'stale', tooOld: true, lastError: null });
    utimesSync(file, NOW_MS / 1000 + 11, NOW_MS / 1000 + 11);
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'ready', ageSeconds: 0 }));
  });
});

describe('a list that shrinks', () => {
  const SMALL = '198.51.100.1\n';

  test('by no more than it may is taken', async () => {
    writeFileSync(file, addresses(10));
    const made = await started({ lists: [listOptions({ file })] });
    writeFileSync(file, addresses(5));
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'ready', entries: 5 }));
  });

  test('by more is held back, seen, and its age goes on', async () => {
    writeFileSync(file, addresses(10));
    utimesSync(file, NOW_MS / 1000, NOW_MS / 1000);
    const made = await started({ lists: [listOptions({ file, ageMaxSeconds: 60 })] });
    writeFileSync(file, SMALL);
    await settles(() =>
      expect(stateOf(made)).toMatchObject({ state: 'held_back', entries: 10, lastError: 'list_shrunk', heldBack: { entries: 1 } }),
    );
    expect(namesOf(made.lists, '192.0.2.9')).toEqual(['drop']);
    expect(made.log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { event: 'list_held_back', fields: { list: 'drop', entries: 1, in_use: 10, sha256: await hashList(Buffer.from(SMALL), UNSLICED) } },
    ]);
    made.clock.pass(61_000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(stateOf(made)).toMatchObject({ state: 'held_back', tooOld: true, ageSeconds: 61 });
    writeFileSync(file, addresses(10));
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'ready', heldBack: null, lastError: null }));
  });

  test.each([
    ['addresses', addresses(10), '192.0.2.1\n'.repeat(10)],
    ['addresses of IPv6', Array.from({ length: 10 }, (_, index) => `2001:db8:${index}::1\n`).join(''), '2001:db8::1\n'.repeat(10)],
  ])('is no larger for saying the same again and again: %s', async (_what, text, repeated) => {
    writeFileSync(file, text);
    const made = await started({ lists: [listOptions({ file })] });
    writeFileSync(file, repeated);
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'held_back', lastError: 'list_shrunk', heldBack: { entries: 10 } }));
  });

  test('is none where one block takes in what was listed one by one', async () => {
    writeFileSync(file, addresses(10));
    const made = await started({ lists: [listOptions({ file })] });
    writeFileSync(file, `${addresses(10)}192.0.2.0/24\n`);
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'ready', entries: 11, ranges: 1 }));
  });

  test('of AS numbers, as well', async () => {
    const numbers = Array.from({ length: 10 }, (_, index) => `AS${64_496 + index}\n`).join('');
    writeFileSync(file, numbers);
    const made = await started({ lists: [listOptions({ file, kind: 'asns' })] });
    writeFileSync(file, 'AS64496\n'.repeat(10));
    await settles(() => expect(stateOf(made)).toMatchObject({ state: 'held_back' }));
  });

  test('is taken once an operator accepts this content, by list and hash, and no other', async () => {
    const acceptFile = join(folder, 'accepted');
    const other = join(folder, 'other.txt');
    for (const path of [file, other]) writeFileSync(path, addresses(10));
    const lists = [listOptions({ file }), listOptions({ name: 'other', file: other })];
    const made = await started({ lists, listsAcceptFile: acceptFile });
    for (const path of [file, other]) writeFileSync(path, SMALL);
    await settles(() => expect(made.lists.status().map(({ state }) => state)).toEqual(['held_back', 'held_back']));
    const sha256 = stateOf(made).heldBack?.sha256;
    writeFileSync(acceptFile, `# reviewed\nno line\ndrop ${'0'.repeat(64)}\n`);
    await settles(() => expect(made.log.lines).toContainEqual({ level: 'warn', event: 'list_accept_line_wrong', fields: { line: 2 } }));
    expect(made.lists.status().map(({ state }) => state)).toEqual(['held_back', 'held_back']);
    writeFileSync(acceptFile, `drop ${sha256} # the feed was cleaned up\n`);
    await settles(() => expect(made.lists.status().map(({ state }) => state)).toEqual(['ready', 'held_back']));
    expect(namesOf(made.lists, '198.51.100.1')).toEqual(['drop']);
    expect(namesOf(made.lists, '192.0.2.1')).toEqual(['other']);
    expect(stateOf(made)).toMatchObject({ entries: 1, heldBack: null, lastError: null });
  });
});
