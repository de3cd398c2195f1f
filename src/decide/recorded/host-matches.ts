import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { RatePlan } from '../../contract/rate-plan.ts';
import type { AddressList } from '../lists.ts';
import { BLOCKED_LIST } from '../lists.ts';

/* What the host matches before Rego, out of the data of a policy, put into a record's input anew. */

/** The input with the policy's own list of addresses instead of the one that was in force. */
export function withBlocked(input: JsonObject, address: string | null, addresses: AddressList): JsonObject {
  const listed = address !== null && addresses.has(address);
  const request = withHit(input['request'], 'address_lists', listed);
  const { signals } = input;
  const network = isJsonObject(signals) ? signals['network'] : undefined;
  if (!isJsonObject(signals) || !isJsonObject(network)) return { ...input, request };
  const value = withHit(network['value'], 'lists', listed);
  return { ...input, request, signals: { ...signals, network: network['value'] === undefined ? network : { ...network, value } } };
}

function withHit(holder: JsonValue | undefined, name: string, listed: boolean): JsonValue {
  const lists = isJsonObject(holder) ? holder[name] : undefined;
  if (!isJsonObject(holder) || !Array.isArray(lists)) return holder ?? null;
  const others = lists.filter((hit: JsonValue) => !isJsonObject(hit) || hit['name'] !== BLOCKED_LIST.name);
  return { ...holder, [name]: listed ? [{ ...BLOCKED_LIST }, ...others] : others };
}

/** The input with another route: the resource of a question that names none is its route. */
export function withResource(input: JsonObject, before: string | undefined, now: string): JsonObject {
  const { resource } = input;
  if (!isJsonObject(resource) || before === undefined || before === now) return input;
  if (resource['id'] !== before || (resource['type'] ?? 'route') !== 'route') return input;
  return { ...input, resource: { ...resource, id: now } };
}

/** Names of counts that another catalogue would have taken and this record does not hold. */
export function uncounted(input: JsonObject, plan: RatePlan | undefined, moved: boolean): string[] {
  const { signals } = input;
  const rate = isJsonObject(signals) ? signals['rate'] : undefined;
  const value = isJsonObject(rate) ? rate['value'] : undefined;
  if (!isJsonObject(value)) return [];
  const counters = value['counters'];
  const failed: JsonValue = value['failed'] ?? [];
  const counted = (name: string): boolean =>
    (isJsonObject(counters) && Object.hasOwn(counters, name)) || (Array.isArray(failed) && failed.includes(name));
  const missing = (plan?.counters ?? []).filter(({ name }) => !counted(name)).map(({ name }) => `rate.counters.${name}`);
  return moved && isJsonObject(value['route']) ? ['rate.route', ...missing] : missing;
}

/** Sources that a policy asks for and that were not asked for the record; null where it asks for the same again. */
export function notCollected(input: JsonObject, names: readonly string[]): string | null {
  const sources = input['sources'];
  for (const name of names) {
    const source = isJsonObject(sources) ? sources[name.replace('sources.', '')] : undefined;
    if (!isJsonObject(source) || source['status'] === 'absent') return name;
  }
  return null;
}
