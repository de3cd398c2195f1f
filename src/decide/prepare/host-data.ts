import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { type AddressList, createAddressListBuilder } from '../lists.ts';
import { createMcpPlans } from '../mcp/plans.ts';
import { createRatePlans, type RatePlans } from '../rate-plan.ts';
import { createRouteTableBuilder, parseRoutes, type RouteEntry, type RouteTable } from '../routes.ts';
import type { SplitData } from './split-data.ts';

/*
 * What the host matches by itself, on its way from the preparing thread: in portions of JSON, so that the thread that answers requests reads
 * and files a hundred thousand entries without keeping anybody waiting for more than a portion.
 */

/** JSON in UTF-8, each a part of the whole. */
export type Portions = readonly Uint8Array<ArrayBuffer>[];

export type HostData = { readonly limits: JsonValue | undefined; readonly routes: Portions; readonly blocked: Portions };

/** Less than a millisecond of work, about. */
const ROUTES_AT_ONCE = 125;
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
  const entries = Object.entries(parseRoutes(routes));
  const rates = createRatePlans(limits, new Set(entries.map(([id]) => id)), '');
  createRouteTableBuilder('', rates.of, createMcpPlans(limits)).add(entries);
  createAddressListBuilder(BLOCKED).add(blocked);
  return { limits: withoutAddresses(limits), routes: portionsOf(entries, ROUTES_AT_ONCE), blocked: portionsOf(blocked, ADDRESSES_AT_ONCE) };
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

/** Files what `packHostData` packed, a portion at a time. */
export async function unpackHostData({ limits, routes, blocked }: HostData, name: string): Promise<HostTables> {
  const rates = createRatePlans(limits, ANY, name);
  const table = createRouteTableBuilder(name, rates.of, createMcpPlans(limits));
  await eachPortion<readonly [string, RouteEntry]>(routes, (entries) => table.add(entries));
  const addresses = createAddressListBuilder(BLOCKED);
  await eachPortion<string>(blocked, (entries) => addresses.add(entries));
  return { rates, routes: table.table(), addresses: addresses.list() };
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
