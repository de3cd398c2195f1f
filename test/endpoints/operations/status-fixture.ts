import type { ServiceStatus } from '../../../src/contract/status.ts';

export const CACHE = { hits: 1, misses: 2, entries: 3 };
/** What a service says of itself. */
export const STATUS: ServiceStatus = {
  version: '0.1.0',
  startedAt: 1_700_000_000,
  draining: false,
  policies: [{ name: 'default', state: 'active', revision: 'r1', activatedAt: 1, rules: 2, routes: 3, lastError: null }],
  identify: {
    keySets: [],
    tokenCache: CACHE,
    negativeCache: CACHE,
    certificateCache: CACHE,
    certificates: { trustBundles: [], crls: [], denied: { state: 'none', entries: 0 } },
    txnTokenCache: CACHE,
    proofKeyCache: CACHE,
    replays: { kind: 'memory', state: 'ready', entries: 0, lastError: null },
    signatures: null,
  },
  enrich: {
    databases: [],
    store: { kind: 'memory', state: 'ready', entries: 0, lastError: null },
    lists: [],
    remembered: { entries: {}, feedback: null },
  },
  record: { written: 1, dropped: 0 },
  strict: true,
};
