import type { Clock, Logger, Policies } from '../contract/stages.ts';
import type { ActivePolicy } from '../contract/stages.ts';
import type { PolicyStatus } from '../contract/status.ts';
import type { DecideOptions } from './options.ts';

/** The policies of this process, with their loading. */
export interface PolicySet extends Policies {
  /** Reads (or compiles) every configured bundle. Never rejects: a policy that fails keeps what it had, `status()` and the log say why. */
  load(): Promise<void>;
  /**
   * Checks a bundle and makes it the active revision of a policy; requests in flight keep theirs.
   * @throws CountersignError `bundle_*`: the active revision stays
   */
  activate(name: string, bundle: Uint8Array): Promise<ActivePolicy>;
  /** One entry a configured policy, in the order of the config. */
  status(): readonly PolicyStatus[];
}

/** The decide stage: nothing is loaded before `load`. */
export declare function createPolicies(options: DecideOptions, parts: { readonly clock: Clock; readonly logger: Logger }): PolicySet;
