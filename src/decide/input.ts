import type { Identity } from '../contract/identity.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { McpMessage } from '../contract/mcp.ts';
import { listFactsOf, type NetworkValue } from '../contract/network.ts';
import type { DecisionRequest, HttpFacts } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';
import type { EnrichmentSignals, RateValue, Signal, TokenValue } from '../contract/signals.ts';
import { BINDING, CERTIFICATE, SIGNATURE, secondOf } from './credential-fields.ts';
import { API_KEY, CLIENT_FIELDS, clientOf } from './input-caller.ts';
import { actorOf, delegationOf, txnTokenFields } from './input-delegation.ts';
import { sourcesOf } from './input-sources.ts';
import { listGaps, listHits } from './list-facts.ts';
import type { ListHit } from './lists.ts';
import { MCP_FIELDS, mcpOf } from './mcp/input.ts';
import type { InputOptions } from './options.ts';
import { compileShape, type Field, type FieldPlan, type InputPaths, type Shape, type SignalShape } from './projection.ts';
import { BEHAVIOUR, DEVICE } from './remembered-fields.ts';

/* The only file that knows the JSON that Rego reads; `input-schema.ts` says what each field means, a test holds the two together. */

/** All that an input is made from. The time is the request's own, so a record replays to the same input. */
export type InputFacts = {
  readonly request: DecisionRequest;
  readonly identity: Identity;
  readonly enrichment: EnrichmentSignals;
  readonly route: Route;
  /** Lists of the bundle that the address is on. */
  readonly lists: readonly ListHit[];
  /** What is asked of an MCP server; not there where nothing is. */
  readonly mcp?: McpMessage | null;
};

const SCOPES_MAX = 256;
const NO_NAMES: JsonObject = {};
const NO_TEXTS: readonly string[] = [];
const NO_BODY = { status: 'absent', reason: null, content_type: null, size: null, json: null } as const;

const second = ({ request }: InputFacts): number => secondOf(request);
/** ISO 8601: 1 Monday to 7 Sunday. */
const weekday = ({ request }: InputFacts): number => new Date(request.receivedAtMs).getUTCDay() || 7;
const listed = ({ lists, enrichment }: InputFacts): JsonValue => listHits(lists, listFactsOf(enrichment.network));
const unlisted = ({ enrichment }: InputFacts): JsonValue => listGaps(listFactsOf(enrichment.network));
const ofHttp =
  (pick: (http: HttpFacts) => JsonValue, without: JsonValue): Field<InputFacts> =>
  ({ request }) =>
    request.http === null ? without : pick(request.http);

const TOKEN: Record<string, (token: TokenValue, facts: InputFacts) => JsonValue> = {
  issuer: (token) => token.issuer,
  subject: (token) => token.subject,
  client_id: (token) => token.clientId,
  audience: (token) => token.audience,
  scopes: (token) => (token.scopes.length > SCOPES_MAX ? token.scopes.slice(0, SCOPES_MAX) : token.scopes),
  expires_at: (token) => token.expiresAt,
  issued_at: (token) => token.issuedAt,
  not_before: (token) => token.notBefore,
  age_seconds: (token, facts) => (token.issuedAt === null ? null : secondOf(facts.request) - token.issuedAt),
  acr: (token) => token.acr,
  amr: (token) => token.amr,
  auth_time: (token) => token.authTime,
  auth_age_seconds: (token, facts) => (token.authTime === null ? null : secondOf(facts.request) - token.authTime),
  jti_hash: (token) => token.jtiHash,
  binding: (token) => token.binding,
  actor: (token) => actorOf(token.actor),
  delegation: (token) => delegationOf(token.delegation),
  authorization_details: (token) => token.authorizationDetails,
  roles: (token) => token.roles,
  groups: (token) => token.groups,
  entitlements: (token) => token.entitlements,
  verified_by: (token) => token.verifiedBy,
  introspected_at: (token) => token.introspectedAt ?? null,
  keys_age_seconds: ({ keysFetchedAt }, facts) => (keysFetchedAt === null ? null : Math.max(0, second(facts) - keysFetchedAt)),
};

const NETWORK: Record<string, (network: NetworkValue, facts: InputFacts) => JsonValue> = {
  address: (network) => network.address,
  family: (network) => network.family,
  prefix: (network) => network.prefix,
  country: (network) => network.country,
  country_source: (network) => network.countrySource,
  continent: (network) => network.continent,
  city: (network) => network.city,
  coordinates: ({ coordinates: place }) =>
    place === null ? null : { latitude: place.latitude, longitude: place.longitude, accuracy_km: place.accuracyKm },
  in_eu: (network) => network.inEu,
  asn: (network) => network.asn,
  as_org: (network) => network.asOrg,
  kinds: (network) => network.kinds,
  data_built_at: (network) => network.dataBuiltAt,
  data_age_seconds: (network) => network.dataAgeSeconds,
  data_flags: (network) => network.dataFlags,
  lists: (_network, facts) => listed(facts),
  lists_unavailable: (_network, facts) => unlisted(facts),
  code: (network) => network.code,
};

const RATE: Record<string, (rate: RateValue) => JsonValue> = {
  client: (rate) => rate.client,
  address: (rate) => rate.address,
  token: (rate) => rate.token,
  route: (rate) => rate.route,
  api_key: ({ apiKey }) => apiKey ?? null,
  counters: ({ counters }) => counters ?? NO_NAMES,
  resets: ({ resets }) => resets ?? NO_NAMES,
  failed: ({ failed }) => failed ?? NO_TEXTS,
  flags: ({ flags }) => flags ?? NO_TEXTS,
  day_lost: ({ dayLost }) => dayLost ?? false,
  degraded: (rate) => rate.degraded,
  history_lost: (rate) => rate.historyLost,
  pep: ({ pep }) => (pep === null ? null : { count: pep.count, window_seconds: pep.windowSeconds }),
};

function signal<T>(
  of: (facts: InputFacts) => Signal<T>,
  fields: Record<string, (value: T, facts: InputFacts) => JsonValue>,
): SignalShape<InputFacts> {
  return {
    fields: Object.keys(fields),
    signal(facts, plan: FieldPlan) {
      const known = of(facts);
      const built: Record<string, JsonValue> = {};
      if (plan.status) built['status'] = known.status;
      if (known.status !== 'present') {
        if (plan.code) built['code'] = known.code;
        return built;
      }
      if (plan.value === null) return built;
      const value: Record<string, JsonValue> = {};
      for (const name of plan.value) value[name] = fields[name]?.(known.value, facts) ?? null;
      built['value'] = value;
      return built;
    },
  };
}

function headersOf(options: InputOptions): Shape<InputFacts> {
  const pick = (http: HttpFacts, of: (values: readonly string[]) => JsonValue): JsonValue => {
    const picked: Record<string, JsonValue> = {};
    for (const name of options.headers) {
      const values = http.headers.get(name);
      if (values !== undefined) picked[name] = of(values);
    }
    return picked;
  };
  return {
    headers: ofHttp((http) => pick(http, (values) => values.join(', ')), {}),
    headers_all: ofHttp((http) => pick(http, (values) => values), {}),
  };
}

function claimsOf(options: InputOptions): (token: TokenValue) => JsonValue {
  const wanted = options.claims;
  if (wanted === 'all') return (token) => token.claims;
  return ({ claims }) =>
    Object.fromEntries(wanted.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name] ?? null]));
}

/** What the border noticed, and what was odd about the chain that the address was taken from. */
function flagsOf({ request, enrichment }: InputFacts): readonly string[] {
  const { network } = enrichment;
  if (network.status !== 'present' || network.value.addressFlags.length === 0) return request.flags;
  return [...new Set([...request.flags, ...network.value.addressFlags])];
}

function bodyOf({ body }: HttpFacts): JsonObject {
  return { status: body.status, reason: body.reason, content_type: body.contentType, size: body.size, json: body.json };
}

/** The input as a tree of what is built, and kept in a record, whole or not at all. */
export function inputShape(options: InputOptions): Shape<InputFacts> {
  return {
    version: () => 1,
    id: ({ request }) => request.id,
    time: {
      group: {
        unix_seconds: second,
        rfc3339: ({ request }) => new Date(request.receivedAtMs).toISOString(),
        hour_utc: ({ request }) => new Date(request.receivedAtMs).getUTCHours(),
        weekday_utc: weekday,
      },
    },
    pep: { group: { name: ({ request }) => request.pep.name } },
    subject: {
      group: {
        type: ({ identity }) => identity.subject.type,
        id: ({ identity }) => identity.subject.id,
        asserted: ({ identity }) => identity.subject.asserted,
        registered: ({ identity }) => identity.subject.record !== null,
        properties: ({ identity }) => identity.subject.properties,
        client: { optional: clientOf, fields: CLIENT_FIELDS },
      },
    },
    action: {
      group: {
        name: ({ request }) => request.action?.name ?? request.http?.method ?? null,
        properties: ({ request }) => request.action?.properties ?? NO_NAMES,
      },
    },
    resource: {
      group: {
        type: ({ request }) => request.resource?.type ?? (request.http === null ? null : 'route'),
        id: ({ request, route }) => request.resource?.id ?? (request.http === null ? null : route.id),
        properties: ({ request }) => request.resource?.properties ?? {},
      },
    },
    context: ({ request }) => request.context,
    request: {
      group: {
        method: ofHttp((http) => http.method, null),
        scheme: ofHttp((http) => http.scheme, null),
        host: ofHttp((http) => http.host, null),
        path: ofHttp((http) => http.path, null),
        path_raw: ofHttp((http) => http.pathRaw, null),
        segments: ofHttp((http) => http.segments, []),
        query: ofHttp((http) => Object.fromEntries(http.query), {}),
        ...headersOf(options),
        flags: flagsOf,
        address_lists: listed,
        address_lists_unavailable: unlisted,
        body: ofHttp(bodyOf, NO_BODY),
        tls: ({ request }) => ({ sni: request.tls.sni, version: request.tls.version }),
      },
    },
    route: {
      group: {
        status: ({ route }) => route.status,
        id: ({ route }) => route.id,
        tier: ({ route }) => route.tier,
        scopes: ({ route }) => route.scopes,
        public: ({ route }) => route.public,
        parameters: ({ route }) => route.parameters,
        mcp: ({ route }) => route.mcp?.server ?? null,
      },
    },
    evidence: {
      group: {
        methods: ({ identity }) => identity.evidence.methods,
        assurance: ({ identity }) => identity.evidence.assurance,
        binding: ({ identity }) => identity.evidence.binding,
        agreement: {
          group: {
            client: ({ identity }) => identity.evidence.agreement.client,
            conflicts: ({ identity }) => identity.evidence.agreement.conflicts,
            pairs: ({ identity }) => identity.evidence.agreement.pairs,
          },
        },
      },
    },
    signals: {
      group: {
        token: signal((facts) => facts.identity.signals.token, { ...TOKEN, claims: claimsOf(options) }),
        certificate: signal((facts) => facts.identity.signals.certificate, CERTIFICATE),
        binding: signal((facts) => facts.identity.signals.binding, BINDING),
        api_key: signal((facts) => facts.identity.signals.apiKey, API_KEY),
        txn_token: signal((facts) => facts.identity.signals.txnToken, txnTokenFields(second)),
        signature: signal((facts) => facts.identity.signals.signature, SIGNATURE),
        network: signal((facts) => facts.enrichment.network, NETWORK),
        rate: signal((facts) => facts.enrichment.rate, RATE),
        device: signal((facts) => facts.enrichment.device, DEVICE),
        behaviour: signal((facts) => facts.enrichment.behaviour, BEHAVIOUR),
      },
    },
    sources: (facts) => sourcesOf(facts.enrichment.sources, second(facts)),
    mcp: { optional: mcpOf, fields: MCP_FIELDS },
  };
}

/** Makes, once at load, the pure function from facts to the input: all of it where `paths` is null, else what the rules read. */
export function compileInput(options: InputOptions, paths: InputPaths): (facts: InputFacts) => JsonObject {
  return compileShape(inputShape(options), paths);
}

/** The paths below `input` out of `opa deps`' names, `["input", "route", "tier"]`; null where one is not such a list. */
export function parseInputPaths(value: unknown): InputPaths {
  if (!Array.isArray(value)) return null;
  const paths: string[][] = [];
  for (const path of value) {
    if (!Array.isArray(path) || path[0] !== 'input' || !path.every((name) => typeof name === 'string')) return null;
    paths.push(path.slice(1));
  }
  return paths;
}
