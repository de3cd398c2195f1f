import type { Subject } from '../contract/identity.ts';
import type { JsonValue } from '../contract/json.ts';
import type { ClientRecord } from '../contract/registry.ts';
import { type ApiKeyValue, clientAddressOf, type EnrichmentSignals, type IdentitySignals } from '../contract/signals.ts';
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

/** The client that verified evidence names, with its record; null where there is none, or where two disagree. */
export function clientOf({ identity, enrichment }: CallerFacts): JsonValue {
  const { client: id, record } = identity.subject;
  if (id === null) return null;
  if (record === null) return { ...UNREGISTERED, id };
  const { name, type, owner, tier, status, scopes, tags } = record;
  return {
    id,
    registered: true,
    name,
    type,
    owner,
    tier,
    status,
    scopes,
    tags,
    issuer: issuerFit(record, identity.signals.token),
    network: networkFit(record, enrichment.network),
    country: countryFit(record, enrichment.network),
  };
}

/** Whether what is seen of a caller is what its record expects. */
type Fit = 'any' | 'expected' | 'unexpected' | 'unknown' | 'unavailable';

const UNREGISTERED = {
  registered: false,
  name: null,
  type: null,
  owner: null,
  tier: null,
  status: null,
  scopes: null,
  tags: [],
  issuer: 'any',
  network: 'any',
  country: 'any',
} as const;

/** Only of a token that was verified here; without one nothing contradicts the record. */
function issuerFit({ issuers }: ClientRecord, token: IdentitySignals['token']): Fit {
  if (issuers.length === 0 || token.status !== 'present' || token.value.verifiedBy !== 'countersign') return 'any';
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
