/** Shape of a search tree, as the metadata say. */
export type TreeShape = { readonly ipVersion: 4 | 6; readonly nodeCount: number; readonly recordBits: 24 | 28 | 32 };
export type SampleAddress = { readonly address: string; readonly family: 4 | 6 };

/** In an IPv6 tree the IPv4 addresses lie below ::/96. */
const IPV4_BITS_AT = 96;

/**
 * Addresses of networks that a database has records for, by walks from the root that turn at every node as a fixed sequence says: the same
 * file gives the same addresses. Half of those of an IPv6 tree are IPv4. Half of the walks end at the first network that they meet, which
 * is a wide one, the others go on as deep as they can. A walk that ends nowhere gives none.
 */
export function sampleAddresses(bytes: Buffer, shape: TreeShape, count: number): SampleAddress[] {
  const found = new Map<string, SampleAddress>();
  const turns = createTurns();
  for (let walk = 0; walk < count; walk += 1) {
    const sample = walkOnce(bytes, shape, turns, { toIpv4: shape.ipVersion === 6 && walk % 2 === 0, deep: walk % 4 > 1 });
    if (sample !== null) found.set(sample.address, sample);
  }
  return [...found.values()];
}

type Walk = { readonly toIpv4: boolean; readonly deep: boolean };

function walkOnce(bytes: Buffer, shape: TreeShape, turns: () => 0 | 1, { toIpv4, deep }: Walk): SampleAddress | null {
  const depthMax = shape.ipVersion === 6 ? 128 : 32;
  const address = new Uint8Array(depthMax / 8);
  let node = 0;
  let zeros = true;
  for (let depth = 0; depth < depthMax && node < shape.nodeCount; depth += 1) {
    const forced = toIpv4 && depth < IPV4_BITS_AT;
    let side: 0 | 1 = forced ? 0 : turns();
    let next = childOf(bytes, shape, node, side);
    // an empty side is no answer while the other may have one, nor is a network where there is more to find
    if (!forced && (next === shape.nodeCount || (deep && next > shape.nodeCount))) {
      const otherSide = side === 0 ? 1 : 0;
      const other = childOf(bytes, shape, node, otherSide);
      if (next === shape.nodeCount || other < shape.nodeCount) {
        side = otherSide;
        next = other;
      }
    }
    if (next === shape.nodeCount) return null;
    address[depth >> 3] = (address[depth >> 3] ?? 0) | (side << (7 - (depth & 7)));
    if (side === 1 && depth < IPV4_BITS_AT) zeros = false;
    node = next;
  }
  if (shape.ipVersion === 4) return { address: address.join('.'), family: 4 };
  return zeros ? { address: address.slice(IPV4_BITS_AT / 8).join('.'), family: 4 } : { address: ipv6Of(address), family: 6 };
}

function childOf(bytes: Buffer, { recordBits }: TreeShape, node: number, side: 0 | 1): number {
  const at = node * (recordBits / 4);
  if (recordBits === 24) return bytes.readUIntBE(at + side * 3, 3);
  if (recordBits === 32) return bytes.readUInt32BE(at + side * 4);
  const middle = bytes.readUInt8(at + 3);
  return side === 0 ? (middle >> 4) * 0x1_00_00_00 + bytes.readUIntBE(at, 3) : (middle & 0x0f) * 0x1_00_00_00 + bytes.readUIntBE(at + 4, 3);
}

function ipv6Of(address: Uint8Array): string {
  const groups: string[] = [];
  for (let at = 0; at < address.length; at += 2) groups.push((((address[at] ?? 0) << 8) | (address[at + 1] ?? 0)).toString(16));
  return groups.join(':');
}

/** A linear congruential sequence (Numerical Recipes' constants), of which the top bit is taken. */
function createTurns(): () => 0 | 1 {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 31 === 1 ? 1 : 0;
  };
}
