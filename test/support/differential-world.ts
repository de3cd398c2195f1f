import { Agent } from 'node:http';
import { createBatchPdp } from '../../src/batch.ts';
import type { PdpParts } from '../../src/contract/path.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import type { Registry } from '../../src/contract/registry.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import { createGrpcServer } from '../../src/endpoints/grpc-server.ts';
import { createHttpServer } from '../../src/endpoints/http-server.ts';
import { createPepAuth } from '../../src/endpoints/pep-auth.ts';
import { createEnricher, type RunningEnricher } from '../../src/enrich/enricher.ts';
import { createIdentifier, type RunningIdentifier } from '../../src/identify/identifier.ts';
import type { IdentityOptions } from '../../src/identify/options.ts';
import { createPath, createPdp } from '../../src/pdp.ts';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import type { ReplayMemory } from '../../src/stores/replay-memory.ts';
import type { WindowKeys, WindowStore } from '../../src/stores/windows.ts';
import { editData } from '../decide/bundles.ts';
import { baseBundle, createTestPolicies } from '../decide/fixtures.ts';
import { pepOptions, sha256 } from '../endpoints/fixtures.ts';
import { createParts, identityOptions, issuerOptions, keysAtHand, type SigningKey, silentLogger } from '../identify/fixtures.ts';
import { type ClientRequest, LANES, type Lane, type Told, type Wires } from './differential-lanes.ts';
import { connectGrpc } from './grpc-client.ts';
import { HASH_KEYS } from './registry.ts';

/** What has to be the same, however it was asked. `undefined` where a protocol has no word for it. */
export type Outcome = Omit<Told, 'id'>;

export type DifferentialWorld = {
  readonly nowSeconds: number;
  /** The same requests, one after the other, by one lane against stores of its own that are empty. */
  ask(lane: Lane, requests: readonly ClientRequest[]): Promise<readonly Outcome[]>;
  stop(): Promise<void>;
};

type Kept = { readonly enricher: RunningEnricher; readonly identifier: RunningIdentifier; store: string };
const TRUSTS = ['client_address', 'client_certificate', 'forwarded'] as const;
const TRUSTED_PROXIES = ['10.0.0.0/8'];

/**
 * The whole path behind both real listeners on loopback, by a clock that stands still: the base pack with other limits, and for each lane a
 * gateway, counters and a memory of proofs.
 */
export async function startDifferentialWorld(
  key: SigningKey,
  limits: Readonly<Record<string, unknown>>,
  registry: Registry,
  identity: Partial<IdentityOptions>,
): Promise<DifferentialWorld> {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const clock = { now: () => now, monotonic: () => 1000 };
  const policies = createTestPolicies();
  const bundle = await editData(await baseBundle(), (data) => {
    const ours = Object(data['countersign']);
    return { ...data, countersign: { ...ours, limits: { ...ours.limits, ...limits } } };
  });
  await policies.activate('default', bundle);

  // a store is a prefix of the keys: thousands of empty ones would cost more than all that is asked of them
  const all = {
    windows: createMemoryWindows({ entriesMax: 1_000_000, startedAtMs: 0 }),
    replays: createMemoryReplays({ entriesMax: 1_000_000, startedAtMs: 0 }),
  };
  const lanes = new Map<string, Kept>();
  for (const { name } of LANES) {
    const replays: ReplayMemory = {
      ...all.replays,
      remember: (key, ...asked) => all.replays.remember(`${keptOf(name).store} ${key}`, ...asked),
    };
    const windows: WindowStore = {
      ...all.windows,
      count: (keys, ...asked) => all.windows.count(keysIn(keptOf(name).store, keys), ...asked),
    };
    const options = identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks' })], identity);
    const enricher = createEnricher({ databases: [], registryCountry: null, trustedProxies: TRUSTED_PROXIES, clock, windows });
    const registered = { registry, hashKeys: HASH_KEYS, addressOf: enricher.addressOf };
    const identifier = createIdentifier(options, createParts(clock, { ...keysAtHand([key.jwk]), replays, registry: registered }));
    await identifier.start();
    lanes.set(name, { enricher, identifier, store: '' });
  }
  function keptOf(name: string): Kept {
    const kept = lanes.get(name);
    if (kept === undefined) throw new Error(`no lane ${name}`);
    return kept;
  }
  const laneOf = ({ pep }: DecisionRequest) => keptOf(pep.name);

  const records = new Map<string, DecisionRecord>();
  const parts: PdpParts = {
    policies,
    identifier: { identify: (request) => laneOf(request).identifier.identify(request) },
    enricher: {
      enrich: (request, ...known) => laneOf(request).enricher.enrich(request, ...known),
      enrichFurther: (request, ...known) => laneOf(request).enricher.enrichFurther(request, ...known),
    },
    sources: { introspection: (_request, facts) => facts },
    recorder: { record: (record) => void records.set(record.decision.id, record) },
    clock,
  };
  const pepAuth = createPepAuth(
    LANES.map(({ name, dialect, appendsPeer, certificateHeader }) =>
      pepOptions(name, TRUSTS, {
        ...{ tokenSha256: sha256(name), dialect, certificateHeader },
        forwardedFor: { header: 'x-forwarded-for', appendsPeer, hops: null },
      }),
    ),
    ['default'],
  );
  let [ids, stores] = [0, 0];
  const endpoint = { pdp: createPdp(parts), pepAuth, clock, newId: () => `id-${++ids}`, logger: silentLogger, deadlineMs: 2000 };
  const at = { host: '127.0.0.1', port: 0, tls: null };
  const reassert = (request: DecisionRequest, known: Parameters<RunningIdentifier['reassert']>[1]) =>
    laneOf(request).identifier.reassert(request, known);
  const batch = createBatchPdp(createPath(parts), reassert);
  const http = createHttpServer({
    ...{ ...endpoint, ...at, publicHosts: [], headerMaxBytes: 65_536, inFlightMax: 64, bodyMaxBytes: 1_048_576, bodyTimeoutMs: 5000 },
    authzen: { batch, publicUrl: null, evaluationsMax: 100 },
  });
  const grpc = createGrpcServer({
    ...{ ...endpoint, ...at, messageMaxBytes: 4_194_304, errorResponse: false, ready: () => true },
    claimsMetadata: { namespace: 'envoy.filters.http.jwt_authn', key: null },
  });
  const [{ port }, { port: grpcPort }] = [await http.start(), await grpc.start()];
  const wires: Wires = { port, agent: new Agent({ keepAlive: true }), grpc: await connectGrpc(`http://127.0.0.1:${grpcPort}`) };

  return {
    nowSeconds: now / 1000,
    async ask(lane, requests) {
      const kept = keptOf(lane.name);
      stores += 1;
      kept.store = `${stores}`;
      const outcomes: Outcome[] = [];
      for (const request of requests) {
        const { id, ...told } = await lane.ask(wires, request);
        const record = records.get(id);
        records.delete(id);
        // every protocol has made one decision of it, and says its own id
        if (record === undefined || record.request.pep.name !== lane.name) throw new Error(`${lane.name}: no record of ${id}`);
        const { effect, reasons } = record.decision;
        if (told.effect !== effect) throw new Error(`${lane.name}: ${told.effect} on the wire, ${effect} was decided`);
        outcomes.push({ ...told, codes: reasons.map(({ code }) => code).sort() });
      }
      return outcomes;
    },
    async stop() {
      wires.agent.destroy();
      await wires.grpc.close();
      for (const { identifier } of lanes.values()) identifier.stop();
      await Promise.all([http.stop(100), grpc.stop(100)]);
      policies.stop();
    },
  };
}

function keysIn(store: string, { client, address, token, route, api_key: apiKey = null, ...rest }: WindowKeys): WindowKeys {
  const [a, b, c, d, e] = [client, address, token, route, apiKey].map((key) => (key === null ? null : `${store} ${key}`));
  return { ...rest, client: a ?? null, address: b ?? null, token: c ?? null, route: d ?? null, api_key: e ?? null };
}
