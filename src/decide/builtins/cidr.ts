import {
  type Address,
  addressText,
  contains,
  containsNetwork,
  lastOf,
  type Network,
  networkText,
  parseAddress,
  parseNetwork,
  sizeOf,
  wide,
} from './address.ts';
import { atMost, type Builtin, type BuiltinTable, ofTexts } from './builtin.ts';
import { isArray, isObject, RegoSet, type RegoValue } from './value.ts';

/* The networks that OPA leaves to the host; `net.cidr_contains` and `net.cidr_intersects` are in the Wasm itself. */

/** A /20 of IPv4: 14 µs each by the time they are a set in the Wasm, so 60 ms of one decision at the most. */
const ADDRESSES_MAX = 4_096;
const NETWORKS_MAX = 10_000;
const PAIRS_MAX = 200_000;

const expand = ofTexts(1, (text) => {
  const network = parseNetwork(text);
  if (network === undefined) return undefined;
  const size = sizeOf(network);
  atMost(Number(size), ADDRESSES_MAX, 'addresses');
  const { bits, value } = network.first;
  return new RegoSet(Array.from({ length: Number(size) }, (_, index) => addressText({ bits, value: value + BigInt(index) })));
});

const isValid: Builtin = ([text]) => typeof text === 'string' && parseNetwork(text) !== undefined;

/** The networks and what stands for each in the result: its place, its key, or itself. */
function entriesOf(value: RegoValue | undefined): readonly (readonly [RegoValue, RegoValue])[] | undefined {
  if (typeof value === 'string') return [[value, value]];
  if (isArray(value)) return value.map((item, index) => [item, index]);
  if (value instanceof RegoSet) return value.items.map((item) => [item, item]);
  return isObject(value) ? [...value].map(([key, member]) => [member, key]) : [];
}

type Target = { readonly address: Address } | { readonly network: Network };

function targetOf(text: string): Target | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return { address };
  const network = parseNetwork(text);
  return network === undefined ? undefined : { network };
}

/** Parses every entry once; undefined where one is nothing of the kind. */
function parsed<T>(value: RegoValue | undefined, parse: (text: string) => T | undefined): readonly (readonly [T, RegoValue])[] | undefined {
  const found: (readonly [T, RegoValue])[] = [];
  for (const [item, label] of entriesOf(value) ?? []) {
    const text = isArray(item) ? item[0] : item;
    const one = typeof text === 'string' ? parse(text) : undefined;
    if (one === undefined) return undefined;
    found.push([one, label]);
  }
  return found;
}

const containsMatches: Builtin = ([networks, targets]) => {
  const outer = parsed(networks, parseNetwork);
  const inner = parsed(targets, targetOf);
  if (outer?.length === 0 || inner?.length === 0) return new RegoSet([]);
  if (outer === undefined || inner === undefined) return undefined;
  atMost(outer.length * inner.length, PAIRS_MAX, 'pairs');
  const found: RegoValue[] = [];
  for (const [network, label] of outer)
    for (const [target, other] of inner) {
      const isIn = 'address' in target ? contains(network, target.address) : containsNetwork(network, target.network);
      if (isIn) found.push([label, other]);
    }
  return new RegoSet(found);
};

/** An IPv4 address alone has the prefix of its old class, as in OPA. */
function mergeable(text: string): Network | undefined {
  const address = parseAddress(text);
  if (address === undefined) return parseNetwork(text);
  if (address.bits === 128) return undefined;
  const top = Number(address.value >> 24n);
  return { first: address, prefix: top < 128 ? 8 : top < 192 ? 16 : 24 };
}

type Range = { first: bigint; last: bigint; bits: 32 | 128; network: Network | null };

const merge: Builtin = ([value]) => {
  const items = isArray(value) ? value : value instanceof RegoSet ? value.items : undefined;
  if (items === undefined) return undefined;
  atMost(items.length, NETWORKS_MAX, 'networks');
  const ranges: Range[] = [];
  for (const item of items) {
    const network = typeof item === 'string' ? mergeable(item) : undefined;
    if (network === undefined) return undefined;
    const { bits } = network.first;
    const rest = BigInt(bits - network.prefix);
    const start = (network.first.value >> rest) << rest;
    const range: Network = { first: { bits, value: start }, prefix: network.prefix };
    ranges.push({ first: wide(range.first), last: wide({ bits, value: lastOf(range) }), bits, network });
  }
  return new RegoSet(
    joined(ranges)
      .flatMap(({ network, ...range }) => (network === null ? networksOf(range) : [network]))
      .map(networkText),
  );
};

/** From the highest down, each one into the one before it where they touch. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const sorted = [...ranges].sort((one, other) => compare(one.last, other.last) || compare(one.first, other.first));
  const kept: Range[] = [];
  for (let current = sorted.pop(); current !== undefined; current = sorted.pop()) {
    const before = sorted.at(-1);
    if (before === undefined || previous(current) > before.last) kept.push(current);
    else {
      const first = lower(before.first, current.first);
      sorted[sorted.length - 1] = { first, last: current.last, bits: first >> 32n === 0xffffn ? 32 : 128, network: null };
    }
  }
  return kept;
}

function lower(one: bigint, other: bigint): bigint {
  if (one < other) return one;
  return other;
}

function compare(one: bigint, other: bigint): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

/** Zero has none, in either family. */
function previous({ first, bits }: Range): bigint {
  return first === 0n || (bits === 32 && first === 0xffffn << 32n) ? first : first - 1n;
}

/** The fewest networks that are a range. */
function networksOf({ first, last, bits }: Omit<Range, 'network'>): readonly Network[] {
  const found: Network[] = [];
  const width = BigInt(bits);
  for (let at = first; at <= last; ) {
    let free = 0n;
    while (free < width && at % (2n << free) === 0n && at + (2n << free) - 1n <= last) free++;
    const value = bits === 32 ? at & 0xffff_ffffn : at;
    found.push({ first: { bits, value }, prefix: bits - Number(free) });
    at += 1n << free;
  }
  return found;
}

export const NET: BuiltinTable = {
  'net.cidr_expand': expand,
  'net.cidr_is_valid': isValid,
  'net.cidr_contains_matches': containsMatches,
  'net.cidr_merge': merge,
};
