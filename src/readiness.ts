import type { RegistryStatus } from './contract/registry-status.ts';
import type { PushedRevocationsStatus } from './contract/revocations.ts';
import type { Readiness, ServiceStatus } from './contract/status.ts';

/**
 * `/readyz` by the state of the parts. Ready asks for every policy to be active, with the data that it needs and no older than it may be, and for not draining. Keys that were never fetched and a
 * store that is away are told, and keep nobody away: decisions go on, each says what it lacks, and one authorization server or
 * Redis that is down must not take every replica out of the traffic. A registry is files of our own: a replica that could never read them
 * knows nobody, and one that could once keeps what it read. So it is with what operators revoke, where a replica is told to wait for it. Where
 * decisions must be recorded, a full disk is this replica's own and others do better; a collector that is away is told alone, for it is away from all.
 */
export function readinessOf(status: ServiceStatus, started = true): Readiness {
  const { policies, identify, registry, revocations, enrich, record, draining } = status;
  const policy = policyState(policies);
  const declared = registry === undefined ? null : registryState(registry);
  const revoked = revocations === undefined ? null : revokedState(revocations);
  const { audit } = record;
  const unheard = audit?.state === 'unavailable' && audit.local;
  return {
    ready:
      policy === 'ready' &&
      declared !== 'not_loaded' &&
      revoked !== 'not_loaded' &&
      revoked !== 'too_old' &&
      !unheard &&
      !draining &&
      started,
    parts: {
      policy,
      keys: identify.keySets.some(({ state }) => state === 'never_fetched') ? 'not_fetched' : 'ready',
      ...(declared === null ? {} : { registry: declared }),
      ...(revoked === null ? {} : { revocations: revoked }),
      store: enrich.store.state,
      ...(audit === undefined ? {} : { audit: audit.state }),
      draining,
      ...(started ? {} : { starting: true }),
    },
  };
}

function policyState(policies: ServiceStatus['policies']): Readiness['parts']['policy'] {
  if (policies.length === 0 || policies.some(({ state }) => state !== 'active')) return 'not_loaded';
  if (policies.some(({ missingData = [] }) => missingData.length > 0)) return 'data_not_loaded';
  return policies.some(({ tooOld }) => tooOld) ? 'too_old' : 'ready';
}

/** Null where there is nothing to tell: a process that is alone and has read its file, or where nobody waits for them. */
function revokedState({ state, shared, required, tooOld }: PushedRevocationsStatus): 'ready' | 'stale' | 'too_old' | 'not_loaded' | null {
  if (state === 'never_loaded') return required ? 'not_loaded' : null;
  if (!shared) return null;
  return tooOld ? 'too_old' : state;
}

function registryState({ records, revocations }: RegistryStatus): 'ready' | 'stale' | 'not_loaded' {
  const states = [records.state, revocations.state];
  if (states.includes('never_loaded')) return 'not_loaded';
  return states.includes('stale') ? 'stale' : 'ready';
}
