import type { Clock, Logger } from '../../src/contract/stages.ts';
import { type AddressLists, createAddressLists } from '../../src/enrich/lists/address-lists.ts';
import type { ListOptions } from '../../src/enrich/lists/options.ts';
import { addressIn, TOWN_COUNT } from './places.ts';

/*
 * The lists that generated traffic is looked up in, and what they assume:
 * - `botnet`, tag malicious: of the hosts that attackers use (BOTS a town, behind access providers and data centres) it knows three of five; the others are too new.
 * - of the addresses of access providers, which change hands, one in STALE_EVERY was an attacker's once and is still on it: benign clients get some of these.
 * - `exits`, tag tor_exit: nine of ten exits of Tor (EXITS, all of one operator).
 */

export const BOTS = 256;
export const EXITS = 100;
const STALE_EVERY = 1000;
const FIRST_BOT = 61_000;
const BOT_LINES = 12;
const TOR_LINE = 14;
const ACCESS_LINES = 8;
const HOSTS = 65_536;

/** Where an attacker's host stands: `line` as in places.ts. */
export const botAddress = (town: number, line: number, bot: number): string => addressIn(town, line % BOT_LINES, FIRST_BOT + (bot % BOTS));
export const exitAddress = (exit: number): string => addressIn(0, TOR_LINE, exit % EXITS);

const NOTHING: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const OPTIONS: Omit<ListOptions, 'name' | 'file' | 'tags'> = {
  ...{ kind: 'addresses', format: 'lines', column: null, field: null, url: null, kinds: [], allowWide: false },
  ...{ refreshSeconds: 3600, fetchTimeoutMs: 1000, bytesMax: 10_000_000, ageMaxSeconds: null, shrinkMax: 1 },
  ...{ badLinesMax: 0, entriesMin: 1, entriesMax: 200_000 },
};

/** The lists as the enricher reads them, loaded. */
export async function generatedLists(clock: Clock): Promise<AddressLists> {
  const files = new Map([
    ['botnet', Buffer.from(botnet().join('\n'))],
    ['exits', Buffer.from(exits().join('\n'))],
  ]);
  const lists = createAddressLists(
    {
      lists: [
        { ...OPTIONS, name: 'botnet', file: 'botnet', tags: ['malicious'] },
        { ...OPTIONS, name: 'exits', file: 'exits', tags: ['tor_exit'] },
      ],
      listsAcceptFile: null,
      hostingAsns: false,
    },
    {
      clock,
      logger: NOTHING,
      readFile: async (path, _bytesMax, known) =>
        known === null ? { bytes: files.get(path) ?? Buffer.alloc(0), version: path, modifiedAtMs: 0 } : null,
      fetch: () => Promise.reject(new Error('nothing is fetched')),
      random: () => 0.5,
    },
  );
  await lists.start();
  lists.stop();
  if (lists.status().some(({ state }) => state !== 'ready')) throw new Error('a generated list was refused');
  return lists;
}

function botnet(): string[] {
  const listed: string[] = [];
  for (let town = 0; town < TOWN_COUNT; town += 1) {
    for (let line = 0; line < BOT_LINES; line += 1) {
      for (let bot = 0; bot < BOTS; bot += 1) if (bot % 5 < 3) listed.push(botAddress(town, line, bot));
      for (let host = (town * 7 + line * 131) % STALE_EVERY; line < ACCESS_LINES && host < HOSTS; host += STALE_EVERY)
        listed.push(addressIn(town, line, host));
    }
  }
  return listed;
}

function exits(): string[] {
  return Array.from({ length: EXITS }, (_, exit) => exitAddress(exit)).filter((_, exit) => exit % 10 !== 9);
}
