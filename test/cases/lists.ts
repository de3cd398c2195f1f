import type { Case } from '../../src/cases/schema.ts';
import { CountersignError } from '../../src/contract/errors.ts';
import { isJsonObject } from '../../src/contract/json.ts';
import type { Clock } from '../../src/contract/stages.ts';
import { type AddressLists, createAddressLists } from '../../src/enrich/lists/address-lists.ts';
import { SILENT } from '../decide/fixtures.ts';
import { listOptions } from '../enrich/lists/fixtures.ts';

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
