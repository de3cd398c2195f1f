import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { type AddressList, createAddressListBuilder } from '../lists.ts';
import { createMcpPlans } from '../mcp/plans.ts';
import { createRatePlans, type RatePlans } from '../rate-plan.ts';
import { type PackedRoutes, packRoutes } from '../routes/pack-routes.ts';
import { parseRoutes } from '../routes/route-data.ts';
import { openRoutes, type RouteTable } from '../routes/route-table.ts';
import type { SplitData } from './split-data.ts';

/*
 * What the host matches by itself, on its way from the preparing thread: routes in shared memory, addresses in portions of JSON, so that the
 * thread that answers requests takes a hundred thousand of them into use without keeping anybody waiting for more than a portion.
 */

/** JSON in UTF-8, each a part of the whole. */
export type Portions = readonly Uint8Array<ArrayBuffer>[];

export type HostData = { readonly limits: JsonValue | undefined; readonly routes: PackedRoutes; readonly blocked: Portions };

/** Less than a millisecond of work, about. */
const ADDRESSES_AT_ONCE = 500;
const BLOCKED = 'countersign.limits.network.addresses_blocked';
const ANY = { has: (): boolean => true };

/**
 * Judges the routes, the addresses and what is counted, and packs them.
 * @throws CountersignError bundle_routes_invalid, bundle_data_invalid
 */
export function packHostData({ limits, routes, blocked }: Pick<SplitData, 'limits' | 'routes' | 'blocked'>): HostData {
  // exceptions are an operator's, with a name and an end; a bundle that brought its own would be a way around them
  if (isJsonObject(limits) && Object.hasOwn(limits, 'exceptions'))
    throw new CountersignError('bundle_data_invalid', { field: 'countersign.limits.exceptions', detail: 'they are pushed, never bundled' });
  const entries = parseRoutes(routes);
  createRatePlans(limits, new Set(Object.keys(entries)), '');
  createAddressListBuilder(BLOCKED).add(blocked);
  const packed = packRoutes(entries, createMcpPlans(limits));
  return { limits: withoutAddresses(limits), routes: packed, blocked: portionsOf(blocked, ADDRESSES_AT_ONCE) };
}

/** They go by themselves. */
function withoutAddresses(limits: JsonValue | undefined): JsonValue | undefined {
  const network = isJsonObject(limits) ? limits['network'] : undefined;
  if (!isJsonObject(limits) || !isJsonObject(network)) return limits;
  const { addresses_blocked: _blocked, ...others } = network;
  const rest: JsonObject = { ...limits, network: others };
  return rest;
}

function portionsOf(items: readonly unknown[], atOnce: number): Portions {
  const portions: Uint8Array<ArrayBuffer>[] = [];
  for (let from = 0; from < items.length; from += atOnce)
    portions.push(new Uint8Array(Buffer.from(JSON.stringify(items.slice(from, from + atOnce)))));
  return portions;
}

export type HostTables = { readonly rates: RatePlans; readonly routes: RouteTable; readonly addresses: AddressList };

/** Takes what `packHostData` packed into use, a portion at a time. */
export async function unpackHostData({ limits, routes, blocked }: HostData, name: string): Promise<HostTables> {
  const rates = createRatePlans(limits, ANY, name);
  const addresses = createAddressListBuilder(BLOCKED);
  await eachPortion<string>(blocked, (entries) => addresses.add(entries));
  return {
    rates,
    routes: openRoutes(routes, { catalogue: name, planOf: rates.of, mcp: createMcpPlans(limits) }),
    addresses: addresses.list(),
  };
}

/** Others first, between two portions. */
async function eachPortion<T>(portions: Portions, file: (items: readonly T[]) => void): Promise<void> {
  for (const [index, bytes] of portions.entries()) {
    if (index > 0) await new Promise((resolve) => setImmediate(resolve));
    const items: readonly T[] = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    if (!Array.isArray(items)) throw new CountersignError('internal_error');
    file(items);
  }
}
