import { entrypointOf } from '../config/policy.ts';
import type { Config } from '../config/schema.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { createPolicies, type PolicySet } from '../decide/policies.ts';

type PoliciesParts = { readonly clock: Clock; readonly logger: Logger };

/** The configured policies, not yet loaded, and their names. `apiKeys`: whether a challenge may offer them. */
export function openPolicies(config: Config, apiKeys: boolean, parts: PoliciesParts): PolicySet & { readonly names: readonly string[] } {
  const configured = Object.entries({ default: config.policy, ...config.policies });
  const policies = Object.fromEntries(configured.map(([name, one]) => [name, { ...one, entrypoint: entrypointOf(one) }]));
  const { policyByHost } = config;
  const challenge = { ...config.challenge, dpopAlgorithms: config.identity.dpop.algorithms, apiKeys };
  return {
    ...createPolicies({ policies, policyByHost, input: config.input, upstream: config.upstream, challenge }, parts),
    names: Object.keys(policies),
  };
}
