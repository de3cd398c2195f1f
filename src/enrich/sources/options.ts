/** A header of every question; the value is `prefix` and then the text, or the content of the file without the white space at its end. */
export type SourceHeader = {
  readonly name: string;
  readonly prefix: string;
  readonly value: string | null;
  readonly valueFile: string | null;
};

export type AttributeOptions = {
  /** RFC 6901. */
  readonly pointer: string;
  readonly type: 'string' | 'number' | 'boolean' | 'strings';
  /** True: null where the answer does not have it; false: the answer cannot be used. */
  readonly optional: boolean;
};

/** One source of attributes. */
export type SourceOptions = {
  readonly name: string;
  /** With placeholders in segments of the path and values of the query. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: readonly SourceHeader[];
  /** With placeholders in its texts, not in its names; null sends none. */
  readonly body: Readonly<Record<string, unknown>> | null;
  readonly attributes: Readonly<Record<string, AttributeOptions>>;
  /** `prefetch`: asked for each request, beside the counters; `collect`: where a policy wants it. */
  readonly when: 'prefetch' | 'collect';
  readonly notFound: 'absent' | 'unavailable';
  /** How long an answer serves; 0 asks each time. */
  readonly cacheSeconds: number;
  /** How long `not_found` and answers that cannot be used serve. */
  readonly negativeCacheSeconds: number;
  readonly cacheBytesMax: number;
  readonly timeoutMs: number;
  readonly concurrencyMax: number;
  readonly breaker: { readonly failuresMax: number; readonly openMs: number };
  /** Of an answer. */
  readonly bytesMax: number;
  /** Host of the URL, addresses and blocks that need not be public. */
  readonly allowPrivate: readonly string[];
  readonly caFile: string | null;
};
