import { parseIpBlock } from '../src/enrich/ip-address.ts';

/** A value of the MaxMind DB data section; whole numbers become uint32, `bigint` uint64, other numbers doubles. */
export type MmdbValue = string | number | bigint | boolean | readonly MmdbValue[] | { readonly [name: string]: MmdbValue };

export type MmdbOptions = {
  readonly type: string;
  readonly ipVersion: 4 | 6;
  /** Unix seconds; given, so that the same input gives the same bytes. */
  readonly buildEpoch: number;
};

const RECORD_BYTES = 3;
const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const SEPARATOR = Buffer.alloc(16);
const MAPPED_BITS = 96;

/** A record of a node: another node, the offset of a record's data, or nothing. */
type Entry = { readonly node: number } | { readonly data: number } | null;

/**
 * Writes a MaxMind DB file, format 2.0 (https://maxmind.github.io/MaxMind-DB/), with 24-bit records: enough for fixtures, no more.
 * The more specific of two networks wins; IPv4 networks in an IPv6 tree lie at ::/96.
 */
export function writeMmdb(networks: Readonly<Record<string, MmdbValue>>, { type, ipVersion, buildEpoch }: MmdbOptions): Buffer {
  const tree: [Entry, Entry][] = [[null, null]];
  const pieces: Buffer[] = [];
  let dataBytes = 0;
  const blocks = Object.entries(networks).map(([text, value]) => ({ bits: bitsOf(text, ipVersion), value }));
  blocks.sort((one, other) => one.bits.length - other.bits.length);
  for (const { bits, value } of blocks) {
    const piece = encode(value);
    insert(tree, bits, { data: dataBytes });
    pieces.push(piece);
    dataBytes += piece.length;
  }
  const nodes = Buffer.alloc(tree.length * RECORD_BYTES * 2);
  for (const [index, entries] of tree.entries()) {
    for (const [side, entry] of entries.entries()) {
      nodes.writeUIntBE(recordOf(entry, tree.length), (index * 2 + side) * RECORD_BYTES, RECORD_BYTES);
    }
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: BigInt(buildEpoch),
    database_type: type,
    description: { en: 'Made by scripts/fixtures-mmdb.ts' },
    ip_version: ipVersion,
    languages: ['en'],
    node_count: tree.length,
    record_size: RECORD_BYTES * 8,
  });
  return Buffer.concat([nodes, SEPARATOR, ...pieces, METADATA_MARKER, metadata]);
}

function bitsOf(text: string, ipVersion: 4 | 6): string {
  const block = parseIpBlock(text);
  if (block === null || (block.family === 6 && ipVersion === 4)) throw new Error(`${text} is no network of this tree`);
  const own = block.groups
    .map((group) => group.toString(2).padStart(16, '0'))
    .join('')
    .slice(0, block.bits);
  return block.family === 4 && ipVersion === 6 ? '0'.repeat(MAPPED_BITS) + own : own;
}

function insert(tree: [Entry, Entry][], bits: string, data: Entry): void {
  let at = 0;
  for (const [depth, bit] of [...bits].entries()) {
    const node = tree[at];
    const side = bit === '1' ? 1 : 0;
    if (node === undefined) throw new Error('the tree has a hole');
    if (depth === bits.length - 1) {
      node[side] = data;
      return;
    }
    const next = node[side];
    if (next !== null && 'node' in next) {
      at = next.node;
      continue;
    }
    // a wider network's record goes down to both halves
    tree.push([next, next]);
    at = tree.length - 1;
    node[side] = { node: at };
  }
}

function recordOf(entry: Entry, nodeCount: number): number {
  if (entry === null) return nodeCount;
  return 'node' in entry ? entry.node : nodeCount + SEPARATOR.length + entry.data;
}

const TYPE = { string: 2, double: 3, uint32: 6, map: 7, uint64: 9, array: 11, boolean: 14 } as const;

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'utf8');
    return Buffer.concat([control(TYPE.string, bytes.length), bytes]);
  }
  if (typeof value === 'boolean') return control(TYPE.boolean, value ? 1 : 0);
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return Buffer.concat([control(TYPE.uint64, 8), bytes]);
  }
  if (typeof value === 'number') {
    const whole = Number.isInteger(value);
    const bytes = Buffer.alloc(whole ? 4 : 8);
    if (whole) bytes.writeUInt32BE(value);
    else bytes.writeDoubleBE(value);
    return Buffer.concat([control(whole ? TYPE.uint32 : TYPE.double, bytes.length), bytes]);
  }
  if (isList(value)) return Buffer.concat([control(TYPE.array, value.length), ...value.map(encode)]);
  const members = Object.entries(value);
  return Buffer.concat([control(TYPE.map, members.length), ...members.flatMap(([name, member]) => [encode(name), encode(member)])]);
}

function isList(value: MmdbValue): value is readonly MmdbValue[] {
  return Array.isArray(value);
}

/** The control byte, the extended type where it needs one, and a size of up to 284. */
function control(type: number, size: number): Buffer {
  if (size > 284) throw new Error('a fixture value is too long');
  const short = Math.min(size, 29);
  const head = type > 7 ? [short, type - 7] : [(type << 5) | short];
  return Buffer.from(size < 29 ? head : [...head, size - 29]);
}
