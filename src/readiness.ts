import type { Readiness, RegistryStatus, ServiceStatus } from './contract/status.ts';

/**
 * `/readyz` by the state of the parts. Ready asks for every policy to be active, with the data that it needs and no older than it may be, and for not draining. Keys that were never fetched and a
 * store that is away are told, and keep nobody away: decisions go on, each says what it lacks, and one authorization server or
 * Redis that is down must not take every replica out of the traffic. A registry is files of our own: a replica that could never read them
 * knows nobody, and one that could once keeps what it read.
 */
export function readinessOf({ policies, identify, registry, enrich, draining }: ServiceStatus): Readiness {
  const policy = policyState(policies);
  const declared = registry === undefined ? null : registryState(registry);
  return {
    ready: policy === 'ready' && declared !== 'not_loaded' && !draining,
    parts: {
      policy,
      keys: identify.keySets.some(({ state }) => state === 'never_fetched') ? 'not_fetched' : 'ready',
      ...(declared === null ? {} : { registry: declared }),
      store: enrich.store.state,
      draining,
    },
  };
}

function policyState(policies: ServiceStatus['policies']): Readiness['parts']['policy'] {
  if (policies.length === 0 || policies.some(({ state }) => state !== 'active')) return 'not_loaded';
  if (policies.some(({ missingData = [] }) => missingData.length > 0)) return 'data_not_loaded';
  return policies.some(({ tooOld }) => tooOld) ? 'too_old' : 'ready';
}

function registryState({ records, revocations }: RegistryStatus): 'ready' | 'stale' | 'not_loaded' {
  const states = [records.state, revocations.state];
  if (states.includes('never_loaded')) return 'not_loaded';
  return states.includes('stale') ? 'stale' : 'ready';
}
