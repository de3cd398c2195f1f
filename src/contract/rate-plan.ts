/** What a policy's data has counted for a route beside the hits of its entities; made once at load, carried by the route. */

/** A limit that the store should tell the time for where it is exceeded. */
export type RateThreshold = {
  /** The limit's name, as in headers, log and metrics. */
  readonly name: string;
  /** Place in `10s, 1m, 10m, 1h, 1d`. */
  readonly window: number;
  /** Hits, or thousandths of an amount. */
  readonly limit: number;
};

/** Parts of a request that a key may be made of without a further name. What is verified counts: never what a caller only says of itself. */
export const PLAIN_SOURCES = [
  'client',
  'subject',
  'address',
  'token',
  'api_key',
  'route',
  'pep',
  'method',
  'host',
  'action',
  'resource_type',
  'resource_id',
] as const;
/** Parts with a name after a colon: a claim of a verified token, a header, a query or path parameter. */
export const NAMED_SOURCES = ['claim', 'header', 'query', 'parameter'] as const;
/** Parts with a JSON pointer (RFC 6901) after a colon: into the parsed body, into the gateway's context. */
export const POINTER_SOURCES = ['json', 'context'] as const;

/** One part of a request. */
export type RequestSource =
  | { readonly from: (typeof PLAIN_SOURCES)[number] }
  | { readonly from: (typeof NAMED_SOURCES)[number]; readonly name: string }
  | { readonly from: (typeof POINTER_SOURCES)[number]; readonly path: readonly string[] };

/** A named counter. */
export type CounterPlan = {
  readonly name: string;
  /** Catalogue and name: two policies never share a counter. */
  readonly pool: string;
  /** Parts that make the key together; where one is missing the request is not counted under it. */
  readonly key: readonly RequestSource[];
  readonly amount: {
    /** Null where each request counts `otherwise`. */
    readonly from: RequestSource | null;
    /** Thousandths, also where `from` gives no amount. */
    readonly otherwise: number;
    /** Unit whose amounts are added when they are reported after the request; null where none is. */
    readonly reported: string | null;
  };
  readonly thresholds: readonly RateThreshold[];
};

export type RatePlan = {
  readonly thresholds: Readonly<Partial<Record<'client' | 'address' | 'token' | 'route' | 'api_key', readonly RateThreshold[]>>>;
  readonly counters: readonly CounterPlan[];
};
