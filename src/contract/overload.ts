/** Why a question was turned away: too many at work, too many bytes held, or too long behind others. */
export type ShedReason = 'in_flight' | 'bytes' | 'queue';

/** What the gateways' listeners hold now and have turned away since the start. */
export type OverloadStatus = {
  /** Of questions that are arriving or at work, over all protocols. */
  readonly heldBytes: number;
  readonly heldBytesMax: number;
  readonly shed: Readonly<Record<ShedReason, number>>;
};
