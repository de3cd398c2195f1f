import { CountersignError } from '../../src/contract/errors.ts';
import { isJsonObject } from '../../src/contract/json.ts';
import type { ListFacts } from '../../src/contract/lists.ts';
import type { Clock } from '../../src/contract/stages.ts';
import { type AddressLists, createAddressLists } from '../../src/enrich/lists/address-lists.ts';
import { SILENT } from '../decide/fixtures.ts';
import { listOptions } from '../enrich/lists/fixtures.ts';
import type { Case } from './schema.ts';

/** Level `wasm`: what the lists of a case would say. */
export function listFactsOfCase({ lists }: Case['given']): ListFacts {
  return {
    hits: lists.filter(({ state }) => state === 'hit').map(({ name, tags }) => ({ name, tags, ageSeconds: 0, stale: false })),
    unavailable: lists.filter(({ state }) => state === 'never_loaded').map(({ name, tags }) => ({ name, tags, code: 'never_loaded' })),
  };
}

/** Levels `pdp` and `wire`: real lists; only their files are the case's own, and hold the address that asks, or another one, or are not there. */
export async function createCaseLists({ given, ask }: Case, clock: Clock): Promise<AddressLists> {
  const { source } = ask;
  const ip = isJsonObject(source) ? String(source['ip']) : '';
  const lists = createAddressLists(
    { lists: given.lists.map(({ name, tags }) => listOptions({ name, tags, file: name })), listsAcceptFile: null, hostingAsns: false },
    {
      clock,
      logger: SILENT,
      readFile: async (path) => {
        const state = given.lists.find(({ name }) => name === path)?.state;
        if (state === 'never_loaded') throw new CountersignError('fetch_failed');
        return { bytes: Buffer.from(state === 'hit' ? `${ip}\n` : '192.0.2.255\n'), version: '1', modifiedAtMs: clock.now() };
      },
      fetch: () => Promise.reject(new CountersignError('fetch_failed')),
      random: () => 0.5,
    },
  );
  await lists.start();
  lists.stop();
  return lists;
}
