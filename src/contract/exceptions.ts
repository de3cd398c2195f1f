/* Time-boxed exceptions (break-glass): who is exempted from which rules, by whom, why, and until when. */

/** One exception; a client or an address, never both. */
export type PolicyException = {
  readonly id: string;
  /** Who answers for it. */
  readonly owner: string;
  readonly reason: string;
  /** Id of a verified client, or null. */
  readonly client: string | null;
  /** An address or a block, or null. */
  readonly address: string | null;
  /** Codes of the rules, `rate.exceeded`. */
  readonly rules: readonly string[];
  /** Unix seconds; it is over at this time. */
  readonly endsAt: number;
};

/** An exception that changed a decision, with the rules that would have spoken against it. */
export type UsedException = {
  readonly id: string;
  readonly owner: string;
  readonly reason: string;
  readonly endsAt: number;
  readonly rules: readonly string[];
};
