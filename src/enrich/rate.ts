import { createHash } from 'node:crypto';
import type { Identity } from '../contract/identity.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';
import type { RateCode, RateValue, Signal, WindowCounts } from '../contract/signals.ts';
import type { EntityCounts, WindowAnswer, WindowKeys } from '../stores/windows.ts';
import type { ClientAddress } from './client-address.ts';
import { countedPrefix } from './ip-address.ts';

export type RateSignal = Signal<RateValue, RateCode>;

const PLAIN_KEY = /^[0-9A-Za-z._:@/+=-]{1,64}$/;

/**
 * What a request is counted under. Only verified evidence makes a client or token key: an asserted client, or a token that was
 * refused, could name anybody. An address is counted by its prefix (/32, IPv6 /64); where the chain of addresses broke, under the
 * last hop that is known, so that a client cannot leave the counters by breaking its own chain.
 */
export function windowKeys(identity: Identity, route: Route, client: ClientAddress): WindowKeys {
  const { subject, tokenKey } = identity;
  return {
    client: subject.asserted || subject.client === null ? null : boundedKey(subject.client),
    address: countedAddress(client),
    token: tokenKey === null ? null : boundedKey(tokenKey),
    route: route.status === 'none' ? null : boundedKey(`${route.catalogue}/${route.id}`),
  };
}

/** The prefix that pays for a request, or null where nothing is known of its address. */
export function countedAddress(client: ClientAddress): string | null {
  const address = client.address ?? ('nearest' in client ? client.nearest : null);
  return address === null ? null : countedPrefix(address);
}

/** A key of at most 71 plain characters: identifiers are foreign, and a store must not grow or be steered by their length or text. */
export function boundedKey(text: string): string {
  // the hash is longer than any plain key, so no identifier can be chosen to fall on another's hash
  return PLAIN_KEY.test(text) ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/**
 * The store's answer as the signal: `unavailable` where nothing could be counted, `present` with `degraded` and null for what
 * could not be.
 */
export function describeRate(answer: WindowAnswer, pep: DecisionRequest['pepRate']): RateSignal {
  const { client, address, token, route, historyLost } = answer;
  let counted = 0;
  let failure: RateCode | null = null;
  for (const counts of [client, address, token, route]) {
    if (typeof counts !== 'string') counted += counts === null ? 0 : 1;
    else if (failure !== 'store_unavailable') failure = counts;
  }
  if (failure !== null && counted === 0) return { status: 'unavailable', code: failure };
  return {
    status: 'present',
    value: {
      client: known(client),
      address: known(address),
      token: known(token),
      route: known(route),
      degraded: failure !== null,
      historyLost,
      pep,
    },
  };
}

function known(counts: EntityCounts): WindowCounts | null {
  return typeof counts === 'string' ? null : counts;
}
