import { BlockList, isIP } from 'node:net';

const compiled = new WeakMap<readonly string[], BlockList>();

/** Whether a text is an IP address or a CIDR block; zones, leading zeros and other spellings are none. */
export function isAddressBlock(text: string): boolean {
  return parse(text) !== null;
}

/**
 * Whether a canonical address lies in one of the blocks. A list is compiled when it is first asked, and kept as long as it is; what is no
 * block is in no list.
 */
export function blocksContain(blocks: readonly string[], address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  let list = compiled.get(blocks);
  if (list === undefined) {
    list = new BlockList();
    for (const text of blocks) {
      const block = parse(text);
      if (block !== null) list.addSubnet(block.address, block.bits, block.family);
    }
    compiled.set(blocks, list);
  }
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function parse(text: string): { readonly address: string; readonly bits: number; readonly family: 'ipv4' | 'ipv6' } | null {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined || address.includes('%')) return null;
  const width = family === 4 ? 32 : 128;
  if (bits !== undefined && (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > width)) return null;
  return { address, bits: bits === undefined ? width : Number(bits), family: family === 4 ? 'ipv4' : 'ipv6' };
}
