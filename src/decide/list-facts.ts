import { z } from 'zod';
import type { ListFacts, ListGap } from '../contract/lists.ts';
import type { ListHit } from './lists.ts';

/** Lists of the bundle and of the service together, as Rego reads them. */
export function listHits(ofBundle: readonly ListHit[], { hits }: ListFacts): readonly ListHit[] {
  if (hits.length === 0) return ofBundle;
  return [...ofBundle, ...hits.map(({ name, tags, ageSeconds, stale }) => ({ name, tags, age_seconds: ageSeconds, stale }))];
}

/** Lists whose silence means nothing; the names are the same in Rego. */
export function listGaps({ unavailable }: ListFacts): readonly ListGap[] {
  return unavailable;
}

const name = z.string().describe('As configured; addresses_blocked is countersign.limits.network.addresses_blocked');
const tags = z.array(z.string()).describe('Tags of the list');

/** The form of `listHits`. */
export const Lists = z.array(
  z.strictObject({
    name,
    tags,
    age_seconds: z.number().nullable().describe('Seconds since the list was last known to be the current one, or null'),
    stale: z.boolean().describe('The list is older than it may be: the hit counts, a miss would not'),
  }),
);

/** The form of `listGaps`. */
export const UnavailableLists = z.array(
  z.strictObject({
    name,
    tags,
    code: z.string().describe('never_loaded, too_old, or asn_unknown: the database that knows AS numbers failed'),
  }),
);
