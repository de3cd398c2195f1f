import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';

/** The data of a bundle, parted by who reads it. */
export type SplitData = {
  readonly rego: JsonObject;
  readonly limits: JsonValue | undefined;
  readonly routes: JsonValue | undefined;
  readonly blocked: readonly JsonValue[];
};

/**
 * What the host matches by itself never gets into the Wasm memory.
 * @throws CountersignError bundle_data_invalid
 */
export function splitData(data: JsonObject): SplitData {
  const ours = data['countersign'];
  if (!isJsonObject(ours)) return { rego: data, limits: undefined, routes: undefined, blocked: [] };
  const { routes, ...rest } = ours;
  const { limits } = rest;
  const network = isJsonObject(limits) ? limits['network'] : undefined;
  const blocked = isJsonObject(network) ? network['addresses_blocked'] : undefined;
  if (!isJsonObject(limits) || !isJsonObject(network) || blocked === undefined)
    return { rego: { ...data, countersign: rest }, limits, routes, blocked: [] };
  if (!Array.isArray(blocked)) throw new CountersignError('bundle_data_invalid', { field: 'countersign.limits.network.addresses_blocked' });
  const { addresses_blocked: _blocked, ...others } = network;
  return { rego: { ...data, countersign: { ...rest, limits: { ...limits, network: others } } }, limits, routes, blocked };
}
