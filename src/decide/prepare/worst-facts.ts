import type { JsonObject, JsonValue } from '../../contract/json.ts';
import type { HttpFacts } from '../../contract/request.ts';
import type { TokenValue, WindowCounts } from '../../contract/signals.ts';
import type { InputFacts } from '../input.ts';
import { SMOKE_FACTS } from '../smoke.ts';

/* The largest request that the border lets in (DESIGN 4): every cap is reached at once, which no honest request does. */

const HEADERS = 100;
const HEADER_VALUES = 16;
const QUERY_PAIRS = 64;
const SEGMENTS = 64;
const SCOPES = 256;
const ACTORS = 8;
const BODY_BYTES = 65_536;
const CONTEXT_BYTES = 16_384;
const CLAIMS_BYTES = 12_288;
const DEPTH = 8;
const COUNTS: WindowCounts = { '10s': 1e6, '1m': 1e6, '10m': 1e6, '1h': 1e6 };
const NOW_SECONDS = 1_780_308_000;

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const names = (prefix: string, count: number): string[] => times(count, (index) => `${prefix}-${String(index).padStart(4, '0')}`);

/** Facts at every cap; `headers` are those that the configuration hands to policies. */
export function worstFacts(headers: readonly string[]): InputFacts {
  const scopes = names('orders:read:scope', SCOPES);
  const network = SMOKE_FACTS.enrichment;
  return {
    ...SMOKE_FACTS,
    request: {
      ...SMOKE_FACTS.request,
      receivedAtMs: NOW_SECONDS * 1000,
      http: worstHttp(headers),
      context: filled(CONTEXT_BYTES),
      source: { ip: '2001:db8::1', port: 40_312, forwardedFor: names('2001:db8:', 32) },
      // at the caps and not over them: what a border had to leave out some contracts refuse unseen
      flags: ['path_double_slash', 'query_duplicate_key', 'header_underscore'],
      subject: { type: 'client', id: 'worst', properties: filled(CONTEXT_BYTES / 4) },
      action: { name: 'POST', properties: {} },
      resource: { type: 'route', id: 'worst', properties: filled(CONTEXT_BYTES / 4) },
    },
    identity: {
      ...SMOKE_FACTS.identity,
      signals: { ...SMOKE_FACTS.identity.signals, token: { status: 'present', value: worstToken(scopes) } },
      subject: { ...SMOKE_FACTS.identity.subject, id: 'worst', client: 'worst' },
      evidence: { ...SMOKE_FACTS.identity.evidence, methods: ['token'], assurance: 2 },
      tokenKey: 'worst',
    },
    enrichment: {
      ...network,
      rate: {
        status: 'present',
        value: { client: COUNTS, address: COUNTS, token: COUNTS, route: COUNTS, degraded: false, historyLost: false, pep: null },
      },
    },
    route: { ...SMOKE_FACTS.route, status: 'matched', id: 'worst', scopes: scopes.slice(0, DEPTH) },
    lists: names('list', DEPTH).map((name) => ({ name, tags: ['tag'], age_seconds: 1, stale: false })),
    mcp: {
      ...{ server: 'worst', source: 'body', code: null, kind: 'request', id: 1, version: '2026-07-28', method: 'tools/call' },
      ...{ list: 'tools', name: 'worst', target: 'worst', arguments: filled(BODY_BYTES), subject: null, agent: null },
    },
  };
}

function worstHttp(wanted: readonly string[]): HttpFacts {
  const all = [...wanted, ...names('x-worst', HEADERS)].slice(0, HEADERS);
  const segments = names('segment', SEGMENTS);
  const path = `/${segments.join('/')}`;
  return {
    method: 'POST',
    scheme: 'https',
    host: 'api.example.com',
    port: 443,
    path,
    pathRaw: path,
    segments,
    query: new Map(names('parameter', QUERY_PAIRS).map((name) => [name, ['value']])),
    headers: new Map(all.map((name) => [name, names('value', HEADER_VALUES)])),
    body: { status: 'parsed', reason: null, contentType: 'application/json', size: BODY_BYTES, json: filled(BODY_BYTES) },
    pathAmbiguous: false,
  };
}

function worstToken(scopes: readonly string[]): TokenValue {
  const hop = (index: number) => ({ subject: `actor-${index}`, issuer: 'https://as.example', clientId: `actor-${index}`, scopes });
  return {
    issuer: 'https://as.example',
    subject: 'worst',
    clientId: 'worst',
    audience: names('https://api.example.com/audience', 32),
    scopes,
    expiresAt: NOW_SECONDS + 300,
    issuedAt: NOW_SECONDS - 10,
    notBefore: NOW_SECONDS - 10,
    acr: 'urn:example:acr',
    amr: names('amr', 16),
    authTime: NOW_SECONDS - 60,
    jtiHash: 'A'.repeat(43),
    binding: 'none',
    actor: { subject: 'actor-0', issuer: null, clientId: null, depth: ACTORS, chain: times(ACTORS, hop), flags: [] },
    delegation: { depth: ACTORS, actorIdentified: true, widened: true, widenedScopes: scopes, complete: true },
    authorizationDetails: times(16, (index) => ({
      type: `detail-${index}`,
      locations: names('https://api.example.com', 8),
      actions: names('action', 8),
      datatypes: names('datatype', 8),
      privileges: names('privilege', 8),
      identifier: `id-${index}`,
    })),
    roles: names('role', 64),
    groups: names('group', 64),
    entitlements: names('entitlement', 64),
    claims: filled(CLAIMS_BYTES),
    verifiedBy: 'countersign',
    keysFetchedAt: NOW_SECONDS - 60,
  };
}

/** An object of about that many bytes of JSON: many small members in lists, below as many levels as are let in. */
function filled(bytes: number): JsonObject {
  const item = { id: 1, name: 'item', tags: ['a', 'b'] };
  const items: JsonValue = times(Math.floor(bytes / JSON.stringify(item).length), () => item);
  let nested: JsonObject = { items };
  for (let level = 2; level < DEPTH - 2; level++) nested = { nested };
  return nested;
}
