import type { PolicyException } from '../../contract/exceptions.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import type { Combined } from '../combine.ts';
import type { InputFacts } from '../input.ts';

/** What the entry point of a policy reads and what its value means; chosen once, when a revision is loaded. */
export type PolicyContract = {
  /**
   * The document that the policy reads.
   * @throws CountersignError request_invalid where the question cannot be said in it
   */
  readonly build: (facts: InputFacts) => JsonObject;
  /** That document as a log may keep it; `built` is the one that was evaluated, null where there was none. */
  readonly logged: (facts: InputFacts, built: JsonObject | null, mode: 'referenced' | 'full') => JsonValue;
  /**
   * What the entry point's value says; undefined where it has none. Exceptions are laid over verdicts, and mean nothing to a policy that decides
   * itself.
   * @throws CountersignError policy_result_invalid, policy_collect_unknown
   */
  readonly read: (result: unknown, exceptions?: readonly PolicyException[]) => Combined;
  /** Facts that a bundle is tried on before it becomes active. */
  readonly trial: InputFacts;
  /** Facts at every cap in the form that gives this contract most to do. */
  readonly worst: (facts: InputFacts) => InputFacts;
  /** Throws where no policy of this contract could give such a value. */
  readonly tried: (result: unknown) => void;
};

/** The two ways of building our own input. */
export type OwnInput = Pick<PolicyContract, 'build'> & { readonly buildWhole: (facts: InputFacts) => JsonObject };
