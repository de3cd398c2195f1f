import { combine } from '../combine.ts';
import { SMOKE_FACTS } from '../smoke.ts';
import type { RuleFacts } from '../verdict.ts';
import type { OwnInput, PolicyContract } from './contract.ts';

/** The contract `rules`: our input, and verdicts that are combined by the host. */
export function createRulesContract({ build, buildWhole }: OwnInput, rules: ReadonlyMap<string, RuleFacts>): PolicyContract {
  const read: PolicyContract['read'] = (result, exceptions) => combine(result, rules, exceptions);
  return {
    build,
    worst: (facts) => facts,
    logged: (facts, built, mode) => (mode === 'full' ? buildWhole(facts) : (built ?? build(facts))),
    read,
    trial: SMOKE_FACTS,
    tried: read,
  };
}
