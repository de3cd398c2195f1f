import type { InputOptions, PolicyOptions } from '../options.ts';
import type { RuleFacts } from '../verdict.ts';
import type { OwnInput, PolicyContract } from './contract.ts';
import { createDecisionContract } from './decision.ts';
import { createEnvoyContract } from './envoy.ts';
import { createRulesContract } from './rules.ts';

/** The contract that a policy is configured for. */
export function createContract(
  policy: Pick<PolicyOptions, 'contract' | 'input'>,
  input: InputOptions,
  own: OwnInput,
  rules: ReadonlyMap<string, RuleFacts>,
): PolicyContract {
  switch (policy.contract) {
    case 'rules':
      return createRulesContract(own, rules);
    case 'decision':
      return createDecisionContract(own);
    case 'envoy':
      return createEnvoyContract({ credentials: policy.input?.credentials ?? false }, input.headers);
  }
}
