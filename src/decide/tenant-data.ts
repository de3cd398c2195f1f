import { isJsonObject, type JsonObject } from '../contract/json.ts';

const ROOT = 'tenants';

/**
 * Data of a policy without what belongs to others: below `tenants` it has its own name at most, whatever its bundle or a push holds. What is not in
 * the instance cannot be read by any rule.
 */
export function ownData(data: JsonObject, policy: string): JsonObject {
  if (!Object.hasOwn(data, ROOT)) return data;
  const { [ROOT]: tenants, ...others } = data;
  if (!isJsonObject(tenants) || !Object.hasOwn(tenants, policy)) return others;
  return { ...others, [ROOT]: { [policy]: tenants[policy] ?? null } };
}
