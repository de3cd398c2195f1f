import type { ForwardedFor } from '../contract/pep.ts';
import type { RequestFlag, SourceFacts } from '../contract/request.ts';
import { chainEntries, parseNode } from './forwarded.ts';
import { blockContains, type IpAddress, type IpBlock } from './ip-address.ts';

/** More proxies than this in a row are no deployment; without a bound a client could make us parse thousands of entries. */
const ENTRIES_WALKED_MAX = 64;

const NO_FLAGS: readonly RequestFlag[] = [];
const ALL_TRUSTED: readonly RequestFlag[] = ['address_all_trusted'];
const CHAIN_BROKEN: readonly RequestFlag[] = ['address_chain_broken'];

/** Who the client is, as far as the chain can be believed. */
export type ClientAddress =
  | { readonly address: IpAddress; readonly flags: readonly RequestFlag[] }
  | {
      readonly address: null;
      readonly code: 'address_missing' | 'address_invalid' | 'address_chain_broken';
      /**
       * The last hop before the chain broke. It is not the client, yet what such requests cost is counted under it:
       * a client that breaks its own chain must not get away from the counters.
       */
      readonly nearest: IpAddress | null;
    };

/**
 * Finds the client's address. The chain is the forwarded-for list plus the gateway's own peer, unless the gateway has already
 * appended it; without the one and the other nobody vouches for the list, and there is no address. From the right, either exactly `hops` entries are passed over, or all that lie in `trustedProxies`:
 * - an entry that does not parse where the walk needs it ends it without an address (`address_chain_broken`);
 * - every entry trusted: the left-most one, flagged `address_all_trusted`;
 * - more hops than entries: the left-most one, flagged `address_chain_short`.
 */
export function findClientAddress(source: SourceFacts, forwardedFor: ForwardedFor, trustedProxies: readonly IpBlock[]): ClientAddress {
  const { ip } = source;
  const peer = ip === null ? null : parseNode(ip);
  // the gateway's own word cannot be read: nothing left of it is vouched for
  if (ip !== null && peer === null) return { address: null, code: 'address_invalid', nearest: null };

  // the usual case: the peer itself is the client, whatever it claims
  if (peer !== null && !forwardedFor.appendsPeer) {
    const { hops } = forwardedFor;
    if (hops === 0 || (hops === null && !isTrusted(peer, trustedProxies))) return { address: peer, flags: NO_FLAGS };
  }

  // whoever asked the gateway may have written all of the list
  if (peer === null && !forwardedFor.appendsPeer) return { address: null, code: 'address_missing', nearest: null };

  const entries = chainEntries(source.forwardedFor, forwardedFor.header);
  const appended = forwardedFor.appendsPeer && entries.length > 0;
  const chain = new Chain(entries, appended ? null : peer);
  if (chain.length === 0) return { address: null, code: 'address_missing', nearest: null };
  return forwardedFor.hops === null ? walkTrusted(chain, trustedProxies) : walkHops(chain, forwardedFor.hops);
}

/** The chain counted from the right; an entry is parsed only when the walk comes to it. */
class Chain {
  readonly #entries: readonly string[];
  readonly #peer: IpAddress | null;
  readonly length: number;

  constructor(entries: readonly string[], peer: IpAddress | null) {
    this.#entries = entries;
    this.#peer = peer;
    this.length = entries.length + (peer === null ? 0 : 1);
  }

  fromRight(index: number): IpAddress | null {
    if (this.#peer !== null && index === 0) return this.#peer;
    const entry = this.#entries[this.length - 1 - index];
    return entry === undefined ? null : parseNode(entry);
  }
}

function walkTrusted(chain: Chain, trustedProxies: readonly IpBlock[]): ClientAddress {
  let nearest: IpAddress | null = null;
  for (let index = 0; index < chain.length; index += 1) {
    const hop = index < ENTRIES_WALKED_MAX ? chain.fromRight(index) : null;
    if (hop === null) return { address: null, code: 'address_chain_broken', nearest };
    if (!isTrusted(hop, trustedProxies)) return { address: hop, flags: NO_FLAGS };
    nearest = hop;
  }
  return nearest === null ? { address: null, code: 'address_missing', nearest } : { address: nearest, flags: ALL_TRUSTED };
}

function walkHops(chain: Chain, hops: number): ClientAddress {
  const short = hops >= chain.length;
  const wanted = short ? chain.length - 1 : hops;
  let nearest: IpAddress | null = null;
  let broken = wanted > ENTRIES_WALKED_MAX;
  for (let index = 0; index < wanted && index < ENTRIES_WALKED_MAX; index += 1) {
    const hop = chain.fromRight(index);
    if (hop === null) broken = true;
    else nearest = hop;
  }
  const address = chain.fromRight(wanted);
  if (address === null) return { address: null, code: 'address_chain_broken', nearest };
  if (short) return { address, flags: broken ? ['address_chain_broken', 'address_chain_short'] : ['address_chain_short'] };
  return { address, flags: broken ? CHAIN_BROKEN : NO_FLAGS };
}

function isTrusted(address: IpAddress, trustedProxies: readonly IpBlock[]): boolean {
  for (const block of trustedProxies) if (blockContains(block, address)) return true;
  return false;
}
