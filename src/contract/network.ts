import type { ListFacts } from './lists.ts';
import type { RequestFlag } from './request.ts';
import type { Signal } from './signals.ts';

/** Why a network signal is not present. */
export type NetworkCode =
  | 'address_missing'
  | 'address_invalid'
  | 'address_chain_broken'
  | 'address_private'
  | 'address_unknown'
  | 'database_missing'
  | 'database_broken';

/** WGS 84 degrees of a place that a database puts an address at. */
export type NetworkCoordinates = {
  /** -90 to 90. */
  readonly latitude: number;
  /** -180 to 180. */
  readonly longitude: number;
  /** Radius around it in which the address lies with some certainty; null where the database does not say. */
  readonly accuracyKm: number | null;
};

/**
 * What was odd about the data itself: `coordinates_invalid` out of range, no numbers or one without the other, and dropped;
 * `database_from_future` one that was built after the request came, by more than a day: its clock or ours is wrong, and its age is 0.
 */
export type NetworkFlag = 'coordinates_invalid' | 'database_from_future';

export type NetworkValue = {
  /** Canonical text; an IPv4-mapped IPv6 address is IPv4. */
  readonly address: string;
  readonly family: 4 | 6;
  /** The prefix that counters and policies use: /32 for IPv4, /64 for IPv6. */
  readonly prefix: string;
  /** ISO 3166-1 alpha-2, or null. */
  readonly country: string | null;
  /** `database` a configured .mmdb, `registry` the packaged registry assignments; null where none spoke. */
  readonly countrySource: 'database' | 'registry' | null;
  readonly continent: string | null;
  readonly city: string | null;
  readonly coordinates: NetworkCoordinates | null;
  /** Whether the country is in the European Union; null where no country is known. */
  readonly inEu: boolean | null;
  readonly asn: number | null;
  readonly asOrg: string | null;
  /** Sorted: business, hosting, mobile, proxy, residential (a proxy on residential addresses), tor, vpn. */
  readonly kinds: readonly string[];
  /** Build time of the oldest database that knew the address, unix seconds; null where none did, or where one of them does not say. */
  readonly dataBuiltAt: number | null;
  /** Its age when the request came, never below 0. */
  readonly dataAgeSeconds: number | null;
  readonly dataFlags: readonly NetworkFlag[];
  /** What the configured lists say; left out where that is nothing at all. */
  readonly lists?: ListFacts;
  /** Why no geographic data is there though the address is known, or null: a private address, none in the database … */
  readonly code: NetworkCode | null;
  /**
   * What was odd about the chain the address was taken from; `decide` merges these into `input.request.flags`.
   * A chain that broke before it gave an address is the signal `invalid: address_chain_broken` and has no value to hold its flag.
   */
  readonly addressFlags: readonly RequestFlag[];
};

/** Where a configured database failed, the address is known all the same: a list of blocked addresses must not stop working with it. */
export type NetworkSignal =
  | Signal<NetworkValue, NetworkCode>
  | { readonly status: 'unavailable'; readonly code: NetworkCode; readonly address: string; readonly lists?: ListFacts };

/** The client's canonical address, also where nothing is known of its network; null where there is none. */
export function clientAddressOf(network: NetworkSignal): string | null {
  if (network.status === 'present') return network.value.address;
  return 'address' in network ? network.address : null;
}

const NO_LISTS: ListFacts = { hits: [], unavailable: [] };

/** What the configured lists say of the client's address, also where nothing else is known of it. */
export function listFactsOf(network: NetworkSignal): ListFacts {
  if (network.status === 'present') return network.value.lists ?? NO_LISTS;
  return ('lists' in network ? network.lists : undefined) ?? NO_LISTS;
}
