import type { Dialect } from '../../contract/pep.ts';

/** The headers by which one kind of gateway says what its client asked for; lower case. Each has to be there, once. */
export type DialectHeaders = {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly target: string;
  readonly host: string;
  readonly scheme: string;
  /** The gateway's own peer; of a list the last entry. */
  readonly address: string;
};

/** Set by our recipes: a gateway sets none of these by itself, so that no other one on the way can have. */
const ORIGINAL: DialectHeaders = {
  method: 'x-original-method',
  target: 'x-original-uri',
  host: 'x-original-host',
  scheme: 'x-original-proto',
  address: 'x-original-remote-addr',
};

/** Set by the gateways themselves, which append their peer to the list of addresses. */
const FORWARDED: DialectHeaders = {
  method: 'x-forwarded-method',
  target: 'x-forwarded-uri',
  host: 'x-forwarded-host',
  scheme: 'x-forwarded-proto',
  address: 'x-forwarded-for',
};

export const DIALECT_HEADERS: Readonly<Record<Dialect, DialectHeaders>> = {
  nginx: ORIGINAL,
  haproxy: ORIGINAL,
  traefik: FORWARDED,
  caddy: FORWARDED,
  apisix: FORWARDED,
};

/**
 * Gateways that neither take headers away by the answer nor strip all spellings of a name by their configuration: what looks like one of our headers
 * would reach the upstream, and some servers would read it as ours.
 */
export const KEEPS_LOOK_ALIKES: ReadonlySet<Dialect> = new Set<Dialect>(['traefik', 'apisix']);

/** How long the client's body is; optional, and only beside the other `x-original-*`: the question itself has no body. */
export const BODY_LENGTH = 'x-original-content-length';
export const BODY_CODING = 'x-original-transfer-encoding';

/** Of the connection between gateway and Countersign, not of the client's request. */
export const OWN_HEADERS: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive']);
