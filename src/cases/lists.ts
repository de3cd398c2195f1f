import type { ListFacts } from '../contract/lists.ts';
import type { Case } from './schema.ts';

/** What the lists of a case would say. */
export function listFactsOfCase({ lists }: Case['given']): ListFacts {
  return {
    hits: lists.filter(({ state }) => state === 'hit').map(({ name, tags }) => ({ name, tags, ageSeconds: 0, stale: false })),
    unavailable: lists.filter(({ state }) => state === 'never_loaded').map(({ name, tags }) => ({ name, tags, code: 'never_loaded' })),
  };
}
