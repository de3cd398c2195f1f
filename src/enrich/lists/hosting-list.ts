import { HOSTING_ASNS } from './hosting-asns.ts';
import type { NamedList } from './named-list.ts';
import { type ListContent, NO_CONTENT } from './parse-list.ts';

/** Its name; the colon keeps it apart from configured ones. */
export const HOSTING_LIST = 'builtin:hosting_asns';

/** The packaged AS numbers of hosters as one more list. It comes with the release, so it has no age. */
export function createHostingList(): { readonly list: NamedList; readonly content: ListContent } {
  const asns = new Set(HOSTING_ASNS.map(([asn]) => asn));
  const content: ListContent = { ...NO_CONTENT, entries: asns.size, distinct: asns.size, asns };
  const list: NamedList = {
    name: HOSTING_LIST,
    kind: 'asns',
    tags: ['hosting'],
    kinds: ['hosting'],
    loaded: () => true,
    ageSeconds: () => null,
    tooOld: () => false,
    status: () => ({
      name: HOSTING_LIST,
      kind: 'asns',
      state: 'ready',
      entries: asns.size,
      ranges: asns.size,
      badLines: 0,
      sha256: null,
      ageSeconds: null,
      tooOld: false,
      heldBack: null,
      lastError: null,
    }),
  };
  return { list, content };
}
