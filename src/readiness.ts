import type { Readiness, ServiceStatus } from './contract/status.ts';

/**
 * `/readyz` by the state of the parts. Ready asks for every policy to be active and for not draining. Keys that were never fetched and a
 * store that is away are told, and keep nobody away: decisions go on, each says what it lacks, and one authorization server or
 * Redis that is down must not take every replica out of the traffic.
 */
export function readinessOf({ policies, identify, enrich, draining }: ServiceStatus): Readiness {
  const active = policies.length > 0 && policies.every(({ state }) => state === 'active');
  return {
    ready: active && !draining,
    parts: {
      policy: active ? 'ready' : 'not_loaded',
      keys: identify.keySets.some(({ state }) => state === 'never_fetched') ? 'not_fetched' : 'ready',
      store: enrich.store.state,
      draining,
    },
  };
}
