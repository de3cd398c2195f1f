import { BlockList, isIP } from 'node:net';

/** IANA's registries of special-purpose addresses, and multicast: none of them is a host on the internet. */
const SPECIAL_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  // within Azure every machine's way to the platform: name server, agent, health probes
  '168.63.129.16/32',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Of IPv6 only 2000::/3 is global unicast; within it: protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112. */
const GLOBAL_6 = '2000::/3';
const SPECIAL_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'];

const special = new BlockList();
const global = new BlockList();
for (const block of SPECIAL_4) add(special, block, 'ipv4');
for (const block of SPECIAL_6) add(special, block, 'ipv6');
add(global, GLOBAL_6, 'ipv6');

function add(list: BlockList, block: string, family: 'ipv4' | 'ipv6'): void {
  const [address = '', bits = ''] = block.split('/');
  list.addSubnet(address, Number(bits), family);
}

/**
 * Whether an address is that of a host on the internet. Private, shared, loopback, link-local, multicast and reserved ones are not, nor is IPv6
 * that stands for an IPv4 address (mapped, NAT64, 6to4, Teredo): what it leads to cannot be told from it.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, 'ipv4');
  return family === 6 && !address.includes('%') && global.check(address, 'ipv6') && !special.check(address, 'ipv6');
}
