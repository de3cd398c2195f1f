/** The configuration file, and whether what it says now is what runs. */
export type ConfigStatus = {
  /**
   * `in_force`: all of it; `restart_needed`: what can change while the service runs is in force, and `sections` are not; `refused`: it cannot be
   * used as it is now, and what was good before is in force.
   */
  readonly state: 'in_force' | 'restart_needed' | 'refused';
  /** Names what runs, without its secrets: the same on every replica that runs the same. */
  readonly revision: string;
  /** Unix seconds of the last change that was taken into force; the start where there was none. */
  readonly changedAt: number;
  /** Changes since the start. */
  readonly taken: number;
  readonly refused: number;
  /** Keys of the file that differ from what runs and need a restart. */
  readonly sections: readonly string[];
  /** What is wrong with the file now: key and fault, never a value. */
  readonly problems: readonly string[];
};
