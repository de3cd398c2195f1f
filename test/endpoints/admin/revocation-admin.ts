import type { RevocationAdmin } from '../../../src/contract/revocations.ts';

/** Nothing is revoked, and nothing is found. */
export const NO_REVOCATIONS: RevocationAdmin = {
  list: () => ({ total: 0, revocations: [], next: null }),
  read: () => null,
  add: async () => ({ changes: [], persisted: false, shared: false }),
  remove: async () => ({ refused: 'revocation_unknown' }),
};
