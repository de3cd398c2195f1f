import type { JsonObject } from './json.ts';

/** A transaction token that was verified here (draft-ietf-oauth-transaction-tokens), under the names of its claims. Times are unix seconds. */
export type TxnTokenValue = {
  /** As configured; the token itself need not name it. */
  readonly issuer: string;
  /** `txn`: the id of the transaction. */
  readonly txn: string;
  /** Unique within the trust domain, whoever issued it. */
  readonly subject: string;
  readonly scopes: readonly string[];
  /** `req_wl`: the workload that asked for the token. */
  readonly requestingWorkload: string;
  /** `aud`. */
  readonly trustDomain: string;
  /** `tctx`: what stays the same through the whole call chain; empty where there is none. */
  readonly transactionContext: JsonObject;
  /** `rctx`: where the request came from; empty where there is none. */
  readonly requesterContext: JsonObject;
  readonly issuedAt: number;
  readonly expiresAt: number;
};
