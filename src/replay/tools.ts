import type { PolicyOptions } from '../decide/options.ts';
import type { ReplayOptions } from './replay-log.ts';
import type { ReplayReport } from './report.ts';

/** A question to `ReplayTools.replay`. */
export type ReplayTask = ReplayOptions & {
  /** Paths of decision logs, plain or gzip. */
  readonly logs: readonly string[];
  /** Path of a bundle, or of a folder that is compiled. */
  readonly policy: string;
  readonly contract: PolicyOptions['contract'];
  /** Null takes the contract's own. */
  readonly entrypoint: string | null;
  /** Path of `opa`; null takes it from PATH. */
  readonly opaBin: string | null;
};

/** What `countersign replay` works with. */
export type ReplayTools = {
  /** @throws CountersignError `bundle_*`, opa_missing, policy_compile_failed; fetch_failed where a log cannot be read */
  readonly replay: (task: ReplayTask) => Promise<ReplayReport>;
};
