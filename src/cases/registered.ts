import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { RegistryParts } from '../identify/registered.ts';
import { createDeclaredRegistry } from './declared-registry.ts';
import { CASE_HASH_KEY_ID, CASE_HASH_KEYS, createCaseKey } from './made-key.ts';

/** What a case says of the registry; `unavailable`: it was never loaded. */
export const Registered = z.union([
  z.literal('unavailable'),
  z.strictObject({
    /** `clients[]` of its files. */
    clients: z.array(z.record(z.string(), z.json())).default([]),
    /** An API key of a client, as `keys[]` has it but for id and hash; it comes with the request. */
    key: z.record(z.string(), z.json()).optional(),
    /** How the key comes. */
    by: z.enum(['x-api-key', 'authorization']).default('x-api-key'),
    /** What is wrong with the key that comes. */
    defect: z.enum(['malformed', 'checksum_wrong', 'unknown', 'multiple']).optional(),
    /** `revocations[]`; `apiKey: own` is the key that comes. */
    revocations: z.array(z.record(z.string(), z.json())).default([]),
  }),
]);
export type Registered = z.output<typeof Registered>;

type Made = {
  readonly parts: RegistryParts;
  readonly header: { readonly name: string; readonly value: string | readonly string[] } | null;
};

const made = new WeakMap<object, Made>();
const NO_REGISTRY: Made | null = null;

/** The registry of a case and the header that its client sends; null where the case has none. */
export function registryOf(given: Registered | undefined, holder: object): Made | null {
  if (given === undefined) return NO_REGISTRY;
  const known = made.get(holder);
  if (known !== undefined) return known;
  const one = make(given);
  made.set(holder, one);
  return one;
}

function make(given: Registered): Made {
  const registry = createDeclaredRegistry(CASE_HASH_KEY_ID);
  const parts = { registry, hashKeys: CASE_HASH_KEYS, addressOf: ({ source }: DecisionRequest) => source.ip };
  if (given === 'unavailable') {
    registry.available = false;
    return { parts, header: { name: 'x-api-key', value: createCaseKey('nobody').text } };
  }
  const { clients, key, by, defect, revocations } = given;
  if (key === undefined) {
    registry.declare({ clients });
    registry.revoke(...revocations);
    return { parts, header: null };
  }
  const { client, ...more } = key;
  const created = createCaseKey(String(client), more);
  registry.declare({ clients, keys: [created.entry] });
  registry.revoke(...revocations.map((one) => (one['apiKey'] === 'own' ? { ...one, apiKey: created.id } : one)));
  const sent = {
    malformed: 'garbage',
    checksum_wrong: `${created.text.slice(0, -1)}${created.text.endsWith('0') ? '1' : '0'}`,
    unknown: createCaseKey(String(client)).text,
    multiple: [created.text, created.text],
  };
  const value = defect === undefined ? created.text : sent[defect];
  return { parts, header: { name: by, value: by === 'x-api-key' ? value : `ApiKey ${String(value)}` } };
}

/** The body of POST /decide with the API key of the case's client among its headers. */
export function withApiKey(body: JsonObject, registry: Made | null): JsonObject {
  const request = body['request'];
  if (registry?.header == null || !isJsonObject(request)) return body;
  const headers = isJsonObject(request['headers']) ? request['headers'] : {};
  return { ...body, request: { ...request, headers: { ...headers, [registry.header.name]: registry.header.value } } };
}
