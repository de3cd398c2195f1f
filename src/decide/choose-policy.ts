import type { DecisionRequest } from '../contract/request.ts';

const DEFAULT = 'default';

/**
 * The name of the policy that answers a request: the one that it names, else the gateway's only one, else that of the canonical host, else `default`.
 * Whether the gateway may have it is not judged here. Null where the host has two readings: it chooses nothing then. A path never chooses.
 */
export function createChoosePolicy(byHost: Readonly<Record<string, string>> = {}): (request: DecisionRequest) => string | null {
  const hosts = new Map(Object.entries(byHost));
  return ({ policyName, pep: { policies }, http, flags }) => {
    if (policyName !== null) return policyName;
    if (policies.length === 1) return policies[0] ?? DEFAULT;
    if (hosts.size === 0 || http === null) return DEFAULT;
    if (flags.includes('host_conflict') || flags.includes('host_invalid')) return null;
    return hosts.get(http.host) ?? DEFAULT;
  };
}
