import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { ListOptions } from '../../../src/enrich/lists/options.ts';
import { createTestLists, listOptions, namesOf, type TestLists } from './fixtures.ts';

/* Lists come, go and change while addresses are looked up. */

const ON_A = '192.0.2.1';
const ON_B = '198.51.100.1';
let folder: string;
let server: Server;
let origin: string;
let asked: string[] = [];
let gate: Promise<void> = Promise.resolve();
const texts = new Map<string, string>();
const running: TestLists[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-reload-lists-'));
  server = createServer(async (request, response) => {
    asked.push(request.url ?? '');
    await gate;
    response.end(texts.get(request.url ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
beforeEach(() => {
  texts.set('/a', `${ON_A}\n`).set('/b', `${ON_B}\n`);
});
afterEach(() => {
  asked = [];
  gate = Promise.resolve();
  for (const { lists } of running.splice(0)) lists.stop();
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const byUrl = (name: string, more: Partial<ListOptions> = {}) => listOptions({ name, url: `${origin}/${name}`, ...more });

function byFile(name: string, text: string): ListOptions {
  const file = join(folder, name);
  writeFileSync(file, text);
  return listOptions({ name, file });
}

async function started(...lists: readonly ListOptions[]): Promise<TestLists> {
  const made = createTestLists({ lists, hostingAsns: true });
  running.push(made);
  await made.lists.start();
  return made;
}

const take = async ({ lists }: TestLists, ...wanted: readonly ListOptions[]) => (await lists.prepare(wanted)).commit();
const seen = ({ lists }: TestLists) => [ON_A, ON_B].map((address) => namesOf(lists, address));
const statusOf = ({ lists }: TestLists, name: string) => lists.status().find((one) => one.name === name);

test('one that is new is there in the moment that it is in force, and what stays is not asked again and keeps its age', async () => {
  const made = await started(byUrl('a'));
  made.clock.pass(10_000);
  await take(made, byUrl('b'), byUrl('a'));
  expect(seen(made)).toEqual([['a'], ['b']]);
  expect(asked).toEqual(['/a', '/b']);
  expect([statusOf(made, 'a')?.ageSeconds, statusOf(made, 'b')?.ageSeconds]).toEqual([10, 0]);
  // numbers of ASes of the packaged list are still its own
  expect(namesOf(made.lists, ON_A, 16_509)).toEqual(['a', 'builtin:hosting_asns']);
});

test('one that went says nothing any more, and is not read any more', async () => {
  const file = byFile('gone.txt', `${ON_A}\n`);
  const made = await started(file, byUrl('b'));
  expect(seen(made)).toEqual([['gone.txt'], ['b']]);
  await take(made, byUrl('b'));
  expect(seen(made)).toEqual([[], ['b']]);
  expect(made.lists.status().map(({ name }) => name)).toEqual(['b', 'builtin:hosting_asns']);
  await take(made);
  expect(seen(made)).toEqual([[], []]);
});

test('what a list means changes with it', async () => {
  const made = await started(byUrl('a'));
  await take(made, byUrl('a', { tags: ['tor_exit'], kinds: ['tor'] }));
  const match = made.lists.match({ family: 4, groups: [0xc000, 0x0201], text: ON_A }, null, false);
  expect([match.hits[0]?.tags, match.kinds]).toEqual([['tor_exit'], ['tor']]);
});

test('one that cannot be had yet is missing in so many words, and comes by itself', async () => {
  const open = Promise.withResolvers<void>();
  const made = await started(byUrl('a'));
  gate = open.promise;
  await take(made, byUrl('a'), byUrl('b', { fetchTimeoutMs: 60_000 }));
  const match = made.lists.match({ family: 4, groups: [0xc000, 0x0201], text: ON_A }, null, false);
  expect([match.hits.map(({ name }) => name), match.unavailable.map(({ name, code }) => [name, code])]).toEqual([
    ['a'],
    [['b', 'never_loaded']],
  ]);
  open.resolve();
  await vi.waitFor(() => expect(seen(made)).toEqual([['a'], ['b']]));
});

test('content that comes while others are prepared is in force after them, and none is lost', async () => {
  const a = byUrl('a', { refreshSeconds: 0.02 });
  const made = await started(a);
  const prepared = await made.lists.prepare([byUrl('b'), a]);
  texts.set('/a', `${ON_A}\n${ON_B}\n`);
  // a build of before would take the place of a newer one
  await vi.waitFor(() => expect(statusOf(made, 'a')?.entries).toBe(2), { timeout: 300 }).catch(() => undefined);
  expect(seen(made)).toEqual([['a'], []]);
  prepared.commit();
  await vi.waitFor(() => expect(seen(made)).toEqual([['a'], ['b', 'a']]), { timeout: 5000 });
});

test('what is discarded changes nothing, and the lists go on', async () => {
  const made = await started(byUrl('a'));
  (await made.lists.prepare([byUrl('b')])).discard();
  expect(seen(made)).toEqual([['a'], []]);
  await take(made, byUrl('b'));
  expect(seen(made)).toEqual([[], ['b']]);
});
