import type { JsonObject } from './json.ts';
import type { IdentitySignals } from './signals.ts';

/** How strongly the caller is identified: 0 nothing or only asserted, 2 verified token, 3 token with a client certificate (DESIGN 1). */
export type AssuranceLevel = 0 | 1 | 2 | 3 | 4;

/** AuthZEN's subject as it was derived. */
export type Subject = {
  readonly type: string;
  readonly id: string | null;
  /** True where the gateway only said so. */
  readonly asserted: boolean;
  /** The client that the verified evidence names; null where there is none or where two disagree. */
  readonly client: string | null;
  readonly properties: JsonObject;
};

/** WHO asks: the result of the stage identify. */
export type Identity = {
  readonly signals: IdentitySignals;
  readonly subject: Subject;
  readonly evidence: {
    /** What was verified, in a fixed order: `token`, `certificate`, `asserted_claims`. */
    readonly methods: readonly string[];
    readonly assurance: AssuranceLevel;
    /** `conflict` where two pieces of evidence name different clients. */
    readonly agreement: { readonly client: 'none' | 'single' | 'agreed' | 'conflict' };
  };
  /** Stable key of the verified token for counting (a hash); null where no token was verified. */
  readonly tokenKey: string | null;
};
