import { NOTHING_COMPARED } from '../../src/contract/agreement.ts';
import type { BehaviourValue, DeviceValue } from '../../src/contract/behaviour.ts';
import type { Identity } from '../../src/contract/identity.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { ActivePolicy, Clock } from '../../src/contract/stages.ts';
import { createEnricher } from '../../src/enrich/enricher.ts';
import type { AddressLists } from '../../src/enrich/lists/address-lists.ts';
import { createMemories } from '../../src/enrich/memories.ts';
import { BlockPool, createBlock } from '../../src/stores/block-pool.ts';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import type { MmdbDatabase } from '../../src/stores/mmdb.ts';
import { RecentEntries } from '../../src/stores/recent-entries.ts';
import { RecordPool } from '../../src/stores/record-pool.ts';
import { behaviourRequest, clientIdentity } from '../remembered-traffic.ts';
import type { Place, TrafficEvent } from './traffic.ts';

export type Learning = { readonly learningRequests: number; readonly learningHours: number };

/** What one request came to: the templates that saw something, and the numbers that they saw. */
export type Replayed = {
  readonly event: TrafficEvent;
  readonly seen: readonly string[];
  readonly effect: 'allow' | 'deny' | 'step_up';
  readonly behaviour: BehaviourValue | null;
  readonly device: DeviceValue | null;
};

const HOUR_MS = 3_600_000;
const PREFIX = 'threat.';
/** The one template that says what it saw in the reasons alone: it has no points. */
const LIST_HIT = 'network.list_hit';

/**
 * Plays a sequence through the real enricher, with its memories and a clock of the sequence, and the real policy. Only who asks is given: who
 * has a token has one that is good. Benign clients answer a step_up with their certificate for the next hour (assurance 3), hostile ones
 * never. What was let through is reported on at once.
 */
export function* replay(
  events: readonly TrafficEvent[],
  policy: ActivePolicy,
  learning: Learning,
  lists?: AddressLists,
): Generator<Replayed> {
  let nowMs = events[0]?.atMs ?? 0;
  const clock: Clock = { now: () => nowMs, monotonic: () => 0 };
  const records = new Map<string, { readonly place: Place; readonly record: object }>();
  const database: MmdbDatabase = {
    lookup: (address) => ({ record: records.get(address)?.record ?? null, source: { type: 'Generated', builtAt: null } }),
    status: () => ({ name: 'generated', state: 'ready', type: 'Generated', builtAt: null, sizeBytes: 0, lastError: null }),
  };
  const memories = createMemories(
    {
      behaviour: { enabled: true, entriesMax: 20_000, feedbackEntriesMax: 1000, ...learning },
      device: { enabled: true, entriesMax: 20_000, known: [], ...learning },
      peps: [{ trusts: ['feedback'] }],
      scope: 'process',
    },
    {
      records: (options) => new RecordPool(options),
      blocks: (blocksMax) => new BlockPool(blocksMax),
      pointer: createBlock,
      recent: (entriesMax, ageMaxMs) => new RecentEntries(entriesMax, ageMaxMs),
      hashKey: [1, 2],
      registeredOf: () => null,
      onCost: () => undefined,
    },
  );
  const windows = createMemoryWindows({ entriesMax: 200_000, startedAtMs: nowMs - HOUR_MS });
  const enricher = createEnricher({
    databases: [database],
    registryCountry: null,
    trustedProxies: [],
    windows,
    memories,
    clock,
    ...(lists === undefined ? {} : { lists }),
  });
  const strongUntilMs = new Map<string, number>();
  let number = 0;

  for (const event of events) {
    nowMs = event.atMs;
    number += 1;
    if (records.get(event.address)?.place !== event.place)
      records.set(event.address, { place: event.place, record: recordOf(event.place) });
    const isStrong = event.attack === null && event.client !== null && (strongUntilMs.get(event.client) ?? 0) > nowMs;
    const request = requestOf(event, `01999999-0000-7000-8000-${number.toString(16).padStart(12, '0')}`);
    const identity = identityOf(event, isStrong);
    const route = policy.routeOf(request);
    const enrichment = enricher.enrich(request, identity, route);
    if (enrichment instanceof Promise) throw new Error('the memory store does not wait');
    const { decision, input, slow, cause } = policy.decide(request, identity, enrichment, route);
    if (decision.error !== null) throw new Error(`a request could not be decided: ${decision.error.code}`);
    const times = { identify: 0, enrich: 0, decide: 0, total: 0 };
    const record: DecisionRecord = { request, decision, route, identity, enrichment, times, slow, input, cause };
    enricher.observe(record);
    if (decision.effect === 'allow') {
      memories.feedback?.report({ decisionId: decision.id, outcome: event.outcome, status: null, cost: new Map() }, nowMs, request.pep);
    } else if (decision.effect === 'step_up' && event.client !== null && event.attack === null) {
      strongUntilMs.set(event.client, nowMs + HOUR_MS);
    }
    const codes = decision.risk.factors.map(({ code }) => code).filter((code) => code.startsWith(PREFIX));
    const listed = decision.reasons.some(({ code }) => code === LIST_HIT) ? ['list_hit'] : [];
    const { behaviour, device } = enrichment;
    yield {
      event,
      seen: [...codes.map((code) => code.slice(PREFIX.length)), ...listed],
      effect: decision.effect,
      behaviour: behaviour.status === 'present' ? behaviour.value : null,
      device: device.status === 'present' ? device.value : null,
    };
  }
}

function requestOf({ atMs, address, path, ja4, userAgent, refused }: TrafficEvent, id: string): DecisionRequest {
  const request = behaviourRequest(atMs, path);
  const { http } = request;
  if (http === null) throw new Error('a request over HTTP was expected');
  return {
    ...request,
    id,
    deadlineAtMs: Number.MAX_SAFE_INTEGER,
    source: { ip: address, port: null, forwardedFor: [] },
    tls: { sni: null, version: null, ja3: null, ja4 },
    credentials: { ...request.credentials, authorization: refused === null ? [] : [`Bearer ${refused}`] },
    http: { ...http, headers: new Map(userAgent === null ? [] : [['user-agent', [userAgent]]]) },
  };
}

function identityOf({ client, token, type, refused, atMs }: TrafficEvent, isStrong: boolean): Identity {
  const identity = clientIdentity(client, refused === null ? 'absent' : 'invalid');
  if (client === null)
    return { ...identity, evidence: { ...identity.evidence, assurance: 0, agreement: { client: 'none', ...NOTHING_COMPARED } } };
  const nowSeconds = Math.floor(atMs / 1000);
  return {
    ...identity,
    signals: { ...identity.signals, token: { status: 'present', value: tokenValueOf(client, nowSeconds) } },
    subject: { ...identity.subject, record: recordOfClient(client, type) },
    evidence: { ...identity.evidence, methods: ['token'], assurance: isStrong ? 3 : 2 },
    tokenKey: token,
  };
}

type TokenValue = Extract<Identity['signals']['token'], { readonly status: 'present' }>['value'];

function tokenValueOf(client: string, nowSeconds: number): TokenValue {
  return {
    issuer: 'https://as.example',
    subject: client,
    clientId: client,
    audience: ['https://api.example'],
    scopes: ['data:read'],
    expiresAt: nowSeconds + 300,
    issuedAt: nowSeconds - 10,
    notBefore: null,
    acr: null,
    amr: [],
    authTime: null,
    jtiHash: null,
    binding: 'none',
    actor: null,
    delegation: null,
    authorizationDetails: [],
    roles: [],
    groups: [],
    entitlements: [],
    claims: {},
    verifiedBy: 'countersign',
    keysFetchedAt: nowSeconds,
  };
}

function recordOfClient(id: string, type: TrafficEvent['type']): Identity['subject']['record'] {
  return {
    id,
    name: null,
    type,
    owner: null,
    tier: null,
    status: 'active',
    issuers: [],
    spiffeIds: [],
    fingerprints: { certificates: [], ja3: [], ja4: [] },
    networks: [],
    countries: [],
    scopes: null,
    tags: [],
  };
}

const FLAGS: Readonly<Record<Place['kinds'][number], string>> = {
  hosting: 'is_hosting_provider',
  vpn: 'is_anonymous_vpn',
  tor: 'is_tor_exit_node',
  proxy: 'is_public_proxy',
};

/** As a MaxMind database would say it. */
function recordOf({ country, asn, at, kinds }: Place): object {
  return {
    ...(country === null ? {} : { country: { iso_code: country } }),
    ...(asn === null ? {} : { autonomous_system_number: asn }),
    ...(at === null ? {} : { location: { latitude: at.latitude, longitude: at.longitude, accuracy_radius: 20 } }),
    ...Object.fromEntries(kinds.map((kind) => [FLAGS[kind], true])),
  };
}
