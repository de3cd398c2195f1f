import type {
  ListedRevocation,
  RevocationAdmin,
  RevocationQuery,
  RevocationsChanged,
  RevocationsRefused,
} from '../../contract/revocations.ts';
import type { Clock } from '../../contract/stages.ts';
import type { Put, SharedEntry } from '../../stores/shared-entries.ts';
import { isLonger } from './held-entries.ts';
import { kindOf, readPosted, readStored } from './posted-form.ts';
import type { Replica } from './replica.ts';

type Parts = {
  readonly clock: Clock;
  readonly replica: Replica;
  readonly serial: <T>(work: () => Promise<T>) => Promise<T>;
};

/** What operators ask for and change, over one replica. */
export function createRevocationAdmin({ entriesMax }: { readonly entriesMax: number }, { clock, replica, serial }: Parts): RevocationAdmin {
  const { entries } = replica.held;

  const shown = (id: string): ListedRevocation | null => {
    const entry = entries.get(id);
    return entry === undefined ? null : (readStored(entry)?.shown ?? null);
  };

  /** Of what was lost by the store what is known is put back first. A change that no answer came to may be made all the same: what is there then says so. */
  async function changed(ids: readonly string[], change: () => Promise<Put>, isMade: () => boolean): Promise<RevocationsRefused | null> {
    let done = await change();
    if (done.kind === 'lost') {
      await replica.follow();
      done = await change();
    }
    if (done.kind === 'put') return null;
    if (done.kind === 'full') return { refused: 'revocations_full' };
    await replica.follow();
    return replica.status().state === 'ready' && isMade() ? null : { refused: 'store_unavailable', unconfirmed: ids };
  }

  const { shared } = replica;
  const answer = (changes: RevocationsChanged['changes']): RevocationsChanged => ({ changes, persisted: replica.persisted, shared });

  return {
    list: (query) => pageOf(entries, query),
    read: shown,
    async add(values, { name }) {
      const posted = new Map<string, SharedEntry>();
      for (const [index, value] of values.entries()) {
        const read = readPosted(value, name, Math.floor(clock.now() / 1000));
        if ('refused' in read) return values.length === 1 ? read : { ...read, field: [`[${index}]`, read.field ?? []].flat().join('.') };
        if (isLonger(read, posted.get(read.id))) posted.set(read.id, read);
      }
      return serial(async () => {
        const ids = [...posted.keys()];
        const before = ids.map(shown);
        const refused = await changed(
          ids,
          () => replica.put([...posted.values()], entriesMax),
          () => [...posted.values()].every((entry) => !isLonger(entry, entries.get(entry.id))),
        );
        if (refused !== null) return refused;
        return answer(ids.map((id, index) => ({ before: before[index] ?? null, after: shown(id) })));
      });
    },
    remove: (id) =>
      serial(async () => {
        if (!entries.has(id)) await replica.follow();
        if (!entries.has(id)) return { refused: 'revocation_unknown' };
        const before = shown(id);
        const refused = await changed(
          [id],
          () => replica.remove(id),
          () => !entries.has(id),
        );
        return refused ?? answer([{ before, after: null }]);
      }),
  };
}

/** The first entries after an id, found in one pass: with many thousands sorting all of them would stop decisions. */
function pageOf(entries: ReadonlyMap<string, SharedEntry>, { after, limit, kind }: RevocationQuery) {
  const ids: string[] = [];
  for (const [id, entry] of entries) {
    if (after !== null && id <= after) continue;
    const last = ids[limit];
    if (last !== undefined && id > last) continue;
    if (kind !== null && kindOf(entry) !== kind) continue;
    insert(ids, id);
    // one more than is shown, to know whether there is a next page
    if (ids.length > limit + 1) ids.pop();
  }
  const revocations = ids.slice(0, limit).map((id) => {
    const entry = entries.get(id);
    return entry === undefined ? null : (readStored(entry)?.shown ?? null);
  });
  const next = ids.length > limit ? (ids[limit - 1] ?? null) : null;
  return { total: entries.size, revocations: revocations.filter((one) => one !== null), next };
}

/** Keeps a short list in its order. */
function insert(ids: string[], id: string): void {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? '') < id) low = middle + 1;
    else high = middle;
  }
  ids.splice(low, 0, id);
}
