import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTestLists, listOptions, namesOf, type TestLists } from './fixtures.ts';

/* A real HTTP server that is good, bad or hostile by what `answer` says. */

let server: Server;
let url: string;
let asked: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let running: TestLists['lists'][] = [];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}/drop.txt`;
});
afterEach(async () => {
  for (const lists of running) lists.stop();
  running = [];
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const FEED = '192.0.2.1\n192.0.2.3\n192.0.2.5\n192.0.2.7\n';

/** Serves a text with its ETag as a file server does. */
function serve(text: string, etag: string): void {
  answer = (request, response) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
    else response.writeHead(200, { etag, 'content-type': 'text/plain' }).end(text);
  };
}

async function started(more: Parameters<typeof listOptions>[0] = {}): Promise<TestLists> {
  const made = createTestLists({ lists: [listOptions({ url, refreshSeconds: 0.02, ...more })] });
  running.push(made.lists);
  await made.lists.start();
  return made;
}

const stateOf = ({ lists }: TestLists) => lists.status()[0] ?? expect.fail('no list');

/** A minute later, when the list was asked for again and what came of it has settled: the third question begins after the second was done. */
async function aMinuteLater(made: TestLists): Promise<void> {
  made.clock.pass(60_000);
  const before = asked.length;
  await vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(before + 3), { timeout: 5000, interval: 5 });
}

test('it is fetched once, and from then on asked by its ETag; 304 says that it is the current one', async () => {
  serve(FEED, '"a"');
  const made = await started({ ageMaxSeconds: 90 });
  expect(namesOf(made.lists, '192.0.2.3')).toEqual(['drop']);
  expect(asked[0]?.headers).toMatchObject({ accept: expect.stringContaining('text/plain') });
  expect(asked[0]?.headers['if-none-match']).toBeUndefined();
  made.clock.pass(59_000);
  expect(stateOf(made).ageSeconds).toBe(59);
  await aMinuteLater(made);
  expect(asked[1]?.headers['if-none-match']).toBe('"a"');
  expect(stateOf(made)).toMatchObject({ state: 'ready', ageSeconds: 0, entries: 4 });
  serve(`${FEED}192.0.2.9\n`, '"b"');
  await aMinuteLater(made);
  expect(stateOf(made)).toMatchObject({ state: 'ready', ageSeconds: 0, entries: 5 });
  expect(namesOf(made.lists, '192.0.2.9')).toEqual(['drop']);
});

test('without an ETag it is asked by Last-Modified, and without either fetched whole', async () => {
  const date = 'Mon, 21 Sep 2026 13:33:20 GMT';
  answer = (request, response) => {
    if (request.headers['if-modified-since'] === date) response.writeHead(304).end();
    else response.writeHead(200, { 'last-modified': date }).end(FEED);
  };
  const made = await started();
  await aMinuteLater(made);
  expect(asked[1]?.headers['if-modified-since']).toBe(date);
  expect(stateOf(made)).toMatchObject({ state: 'ready', ageSeconds: 0 });
  // the server forgot the date
  answer = (_, response) => response.writeHead(200).end(FEED);
  await aMinuteLater(made);
  await aMinuteLater(made);
  expect(asked.at(-1)?.headers['if-modified-since']).toBeUndefined();
  expect(stateOf(made)).toMatchObject({ state: 'ready', ageSeconds: 0 });
});

test.each<[string, typeof answer, string]>([
  ['503', (_, response) => response.writeHead(503).end(), 'fetch_failed'],
  ['404 with a page', (_, response) => response.writeHead(404).end('192.0.2.99\n'), 'fetch_failed'],
  ['a redirect', (_, response) => response.writeHead(302, { location: '/other' }).end(), 'fetch_failed'],
  ['204', (_, response) => response.writeHead(204).end(), 'fetch_failed'],
  ['a page instead of a list', (_, response) => response.writeHead(200).end('<html>\n<body>\n'), 'list_invalid'],
  ['nothing', (_, response) => response.writeHead(200).end(), 'list_too_short'],
  ['too much', (_, response) => response.writeHead(200).end('#'.repeat(100_001)), 'fetch_too_large'],
  [
    'a cut connection',
    (_, response) => void response.writeHead(200, { 'content-length': 100 }).write('192.0.2.1\n', () => response.destroy()),
    'fetch_failed',
  ],
])('%s leaves the last list in use, and its age goes on', async (_name, bad, code) => {
  serve(FEED, '"a"');
  const made = await started({ ageMaxSeconds: 100 });
  answer = bad;
  await aMinuteLater(made);
  expect(stateOf(made)).toMatchObject({ state: 'stale', lastError: code, entries: 4, ageSeconds: 60 });
  expect(namesOf(made.lists, '192.0.2.3')).toEqual(['drop']);
  await aMinuteLater(made);
  expect(stateOf(made)).toMatchObject({ tooOld: true, ageSeconds: 120 });
  // one warning for an outage, not one an attempt
  expect(made.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  serve(FEED, '"a"');
  await aMinuteLater(made);
  expect(stateOf(made)).toMatchObject({ state: 'ready', lastError: null, ageSeconds: 0 });
});

test('held back, 304 does not make the content in use any younger', async () => {
  serve(FEED, '"a"');
  const made = await started();
  serve('192.0.2.1\n', '"b"');
  await aMinuteLater(made);
  expect(stateOf(made)).toMatchObject({ state: 'held_back', entries: 4, ageSeconds: 60, heldBack: { entries: 1 } });
  await aMinuteLater(made);
  expect(asked.at(-1)?.headers['if-none-match']).toBe('"b"');
  expect(stateOf(made)).toMatchObject({ state: 'held_back', entries: 4, ageSeconds: 120 });
  expect(made.log.lines.filter(({ event }) => event === 'list_held_back')).toHaveLength(1);
  serve(FEED, '"a"');
  await aMinuteLater(made);
  expect(stateOf(made)).toMatchObject({ state: 'ready', ageSeconds: 0, heldBack: null });
});

test('a server that is asked while it is slow keeps nobody waiting for an answer', async () => {
  answer = () => undefined;
  const made = createTestLists({ lists: [listOptions({ url })] });
  running.push(made.lists);
  const starting = made.lists.start();
  await vi.waitFor(() => expect(asked).toHaveLength(1), { timeout: 5000, interval: 5 });
  expect(namesOf(made.lists, '192.0.2.1')).toEqual([]);
  expect(stateOf(made).state).toBe('never_loaded');
  made.lists.stop();
  await starting;
  // ended by the stop, which is no failure to tell
  expect(made.log.lines).toEqual([]);
});
