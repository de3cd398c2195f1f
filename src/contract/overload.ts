/** Why a question was turned away: too many that are not answered, too many bytes held, or too long a wait for its turn. */
export type ShedReason = 'in_flight' | 'bytes' | 'queue';

/** What the gateways' listeners hold now and have turned away since the start. */
export type OverloadStatus = {
  /** Of questions that are arriving or at work, over all protocols. */
  readonly heldBytes: number;
  readonly heldBytesMax: number;
  /** Questions that have arrived and were not begun yet. */
  readonly waiting: number;
  readonly shed: Readonly<Record<ShedReason, number>>;
};
