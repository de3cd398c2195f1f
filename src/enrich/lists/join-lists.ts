import type { NetworkSignal } from '../../contract/network.ts';
import type { ClientAddress } from '../client-address.ts';
import { isPrivateRange, rangeOf } from '../ip-address.ts';
import { type AddressLists, NO_MATCH } from './address-lists.ts';

/** The network signal with what the lists say; as it is where they say nothing. */
export function joinLists(network: NetworkSignal, client: ClientAddress, lists: AddressLists): NetworkSignal {
  const { address } = client;
  if (address === null) return network;
  if (network.status !== 'present') {
    if (!('address' in network)) return network;
    const facts = lists.match(address, null, true);
    return facts === NO_MATCH ? network : { ...network, lists: facts };
  }
  const { asn, code, kinds } = network.value;
  const failed = asn === null && (code === 'database_missing' || code === 'database_broken') && !isPrivateRange(rangeOf(address));
  const facts = lists.match(address, asn, failed);
  if (facts === NO_MATCH) return network;
  const more = facts.kinds.length === 0 ? kinds : [...new Set([...kinds, ...facts.kinds])].sort();
  return { status: 'present', value: { ...network.value, kinds: more, lists: facts } };
}
