import type { ErrorCode } from './codes.ts';
import type { UsedException } from './exceptions.ts';
import type { Explanation } from './explain.ts';
import type { AssuranceLevel } from './identity.ts';
import type { JsonObject } from './json.ts';

/** The decision's value. */
export type Effect = 'allow' | 'deny' | 'step_up';

/** A verdict that counts. */
export type Reason = {
  /** The rule's path, `rate.exceeded`, or a code of the host such as `not_applicable`. */
  readonly code: string;
  readonly effect: Effect | 'undecided';
  /** From the rule's METADATA; the code where the bundle has none. */
  readonly title: string;
  /** There where the policy made the title itself for this request: then anything may be in it. */
  readonly titleSaid?: true;
  /** True where METADATA says `custom.public: true`: only such reasons reach the client. */
  readonly public: boolean;
  /** What the verdict said besides its effect. */
  readonly details: JsonObject;
};

export type RiskFactor = { readonly code: string; readonly points: number };

export const STEP_UP_KINDS = ['authentication', 'binding', 'scope', 'approval'] as const;
export type StepUpKind = (typeof STEP_UP_KINDS)[number];

/** What would turn this step_up into an allow. */
export type StepUp = {
  readonly kind: StepUpKind;
  readonly methods: readonly string[];
  /** RFC 9470. */
  readonly acrValues: readonly string[];
  /** RFC 9470 `max_age`, seconds. */
  readonly maxAgeSeconds: number | null;
  /** The scopes that are missing together with those held, for RFC 6750 `scope`. */
  readonly scopes: readonly string[];
};

/** One more line of a header that is set already, or one parameter of a query. */
export type NamedText = readonly [name: string, value: string];

/** Changes to the request that goes upstream; set means overwrite. */
export type Upstream = {
  readonly headersToSet: Readonly<Record<string, string>>;
  readonly headersToRemove: readonly string[];
  /** Headers for the client's response on an allow, overwriting the upstream's own. */
  readonly responseHeadersToSet?: Readonly<Record<string, string>>;
  /** Further lines of headers in `headersToSet`; left out: none. */
  readonly headersToAppend?: readonly NamedText[];
  /** Lines that the client's response gets beside the upstream's own (`set-cookie`), of names that are not in `responseHeadersToSet`; left out: none. */
  readonly responseHeadersToAppend?: readonly NamedText[];
  /** Parameters of the query that are set, in order; a name may be there several times. Left out: none. */
  readonly queryToSet?: readonly NamedText[];
  readonly queryToRemove?: readonly string[];
};

/** What a gateway can send to the client as it is. Header names are lower case. */
export type ClientResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  /** The body where a policy wrote it itself: sent as it is, instead of `body`. */
  readonly text?: string;
  /** Further lines of headers that are set (`set-cookie`); left out: none. */
  readonly headersToAppend?: readonly NamedText[];
};

export type Decision = {
  /** UUIDv7; the same in header, dynamic metadata, log and trace. */
  readonly id: string;
  readonly effect: Effect;
  /** Never empty; sorted by class, then by code; the first is the primary one. */
  readonly reasons: readonly Reason[];
  readonly assurance: { readonly level: AssuranceLevel; readonly required: number };
  readonly risk: { readonly score: number; readonly factors: readonly RiskFactor[] };
  readonly stepUp: StepUp | null;
  readonly obligations: readonly JsonObject[];
  readonly upstream: Upstream;
  /** Names of headers that the policy would have set or removed upstream, had it allowed; on an allow those that it removes. There only where there is one. */
  readonly upstreamNames?: readonly string[];
  /** Null on allow. */
  readonly response: ClientResponse | null;
  readonly policy: { readonly name: string; readonly revision: string };
  /** Names of limits that were exceeded and are not enforced, each once; not there where there is none. */
  readonly shadowLimits?: readonly string[];
  /** What a policy adds to the gateway's metadata of this request; not there where it adds nothing. */
  readonly dynamicMetadata?: JsonObject;
  /** Time-boxed exceptions that took a rule's verdict back; not there where there is none. */
  readonly exceptions?: readonly UsedException[];
  /** What was decided where that is not enforced; the effect is then `allow`. Not there where it is enforced. */
  readonly would?: 'deny' | 'step_up';
  /** Set only where no decision could be made; the effect is then `deny`. */
  readonly error: { readonly code: ErrorCode } | null;
  /** Signals and every verdict, for gateways trusted for `explain` that asked. */
  readonly explanation: Explanation | null;
};
