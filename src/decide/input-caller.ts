import type { ApiKeyValue } from '../contract/api-key.ts';
import type { Subject } from '../contract/identity.ts';
import type { JsonValue } from '../contract/json.ts';
import { clientAddressOf } from '../contract/network.ts';
import type { ClientRecord } from '../contract/registry.ts';
import type { EnrichmentSignals, IdentitySignals } from '../contract/signals.ts';
import { blocksContain } from '../formats/address-blocks.ts';

/* What Rego reads of the caller's API key and of its own record; `input-caller-schema.ts` says what each field means. */

export const API_KEY: Record<string, (key: ApiKeyValue) => JsonValue> = {
  id: (key) => key.id,
  client_id: (key) => key.clientId,
  scopes: (key) => key.scopes,
  expires_at: (key) => key.expiresAt,
};

type CallerFacts = {
  readonly identity: { readonly subject: Subject; readonly signals: IdentitySignals };
  readonly enrichment: EnrichmentSignals;
};

type ClientField = (record: ClientRecord, facts: CallerFacts) => JsonValue;

const CLIENT: Readonly<Record<string, ClientField>> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  type: ({ type }) => type,
  owner: ({ owner }) => owner,
  tier: ({ tier }) => tier,
  status: ({ status }) => status,
  scopes: ({ scopes }) => scopes,
  tags: ({ tags }) => tags,
  issuer: (record, { identity }) => issuerFit(record, identity.signals.token),
  network: (record, { enrichment }) => networkFit(record, enrichment.network),
  country: (record, { enrichment }) => countryFit(record, enrichment.network),
};

export const CLIENT_FIELDS: readonly string[] = Object.keys(CLIENT);

/** The client that verified evidence names, with its record; null where there is none, or where two disagree. */
export function clientOf(facts: CallerFacts, names: readonly string[]): JsonValue {
  const { client: id, record } = facts.identity.subject;
  if (id === null) return null;
  const client: Record<string, JsonValue> = {};
  for (const name of names) client[name] = record === null ? (UNREGISTERED[name] ?? null) : (CLIENT[name]?.(record, facts) ?? null);
  if (record === null && names.includes('id')) client['id'] = id;
  return client;
}

/** Whether what is seen of a caller is what its record expects. */
type Fit = 'any' | 'expected' | 'unexpected' | 'unknown' | 'unavailable';

/** Of a client without a record; what is not named is null. */
const UNREGISTERED: Readonly<Record<string, JsonValue>> = { tags: [], issuer: 'any', network: 'any', country: 'any' };

/** Only of a token that was verified here; without one nothing contradicts the record. */
function issuerFit({ issuers }: ClientRecord, token: IdentitySignals['token']): Fit {
  if (issuers.length === 0 || token.status !== 'present' || token.value.verifiedBy === 'pep') return 'any';
  return issuers.includes(token.value.issuer) ? 'expected' : 'unexpected';
}

function networkFit({ networks }: ClientRecord, network: EnrichmentSignals['network']): Fit {
  if (networks.length === 0) return 'any';
  const address = clientAddressOf(network);
  if (address === null) return 'unknown';
  return blocksContain(networks, address) ? 'expected' : 'unexpected';
}

function countryFit({ countries }: ClientRecord, network: EnrichmentSignals['network']): Fit {
  if (countries.length === 0) return 'any';
  if (network.status === 'unavailable') return 'unavailable';
  const country = network.status === 'present' ? network.value.country : null;
  if (country === null) return 'unknown';
  return countries.includes(country) ? 'expected' : 'unexpected';
}
