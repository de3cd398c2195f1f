/** Where an address stands. */
export type Place = {
  readonly country: string | null;
  readonly asn: number | null;
  /** Null where no database would know. */
  readonly at: { readonly latitude: number; readonly longitude: number } | null;
  readonly kinds: readonly ('hosting' | 'vpn' | 'tor' | 'proxy')[];
};

/** One request as the generators and the recorded sets tell it. */
export type TrafficEvent = {
  /** Unix milliseconds. */
  readonly atMs: number;
  /** Null where no credential was verified. */
  readonly client: string | null;
  /** Of a registered client. */
  readonly type: 'service' | 'agent' | 'device';
  /** Whose addresses are counted; null for a client without a token (an API key). */
  readonly token: string | null;
  /** A credential that is refused, or null. */
  readonly refused: string | null;
  readonly address: string;
  readonly place: Place;
  readonly ja4: string | null;
  readonly userAgent: string | null;
  readonly path: string;
  /** What the application would report of it, where it is let through. */
  readonly outcome: 'success' | 'failure' | 'error';
  /** Number of the attack that it is a part of; null for benign traffic. */
  readonly attack: number | null;
};

/** A sequence, sorted by time, and how it is named in the table. */
export type Corpus = { readonly name: string; readonly events: readonly TrafficEvent[] };

export function sorted(events: readonly TrafficEvent[]): readonly TrafficEvent[] {
  return events.toSorted((a, b) => a.atMs - b.atMs);
}
