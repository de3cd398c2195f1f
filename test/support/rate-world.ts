import type { Decision } from '../../src/contract/decision.ts';
import type { Identity } from '../../src/contract/identity.ts';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import type { Pep } from '../../src/contract/pep.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import type { PolicyStatus } from '../../src/contract/status.ts';
import { receiveDecide } from '../../src/endpoints/decide/receive.ts';
import { createFeedback, type RunningFeedback } from '../../src/enrich/behaviour/feedback.ts';
import { createEnricher } from '../../src/enrich/enricher.ts';
import { createPdp } from '../../src/pdp.ts';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import { RecentEntries } from '../../src/stores/recent-entries.ts';
import type { WindowStore } from '../../src/stores/windows.ts';
import { editData } from '../decide/bundles.ts';
import { baseBundle, createTestPolicies } from '../decide/fixtures.ts';
import { identityOf } from '../enrich/requests.ts';

export const NOW = 1_790_000_000_000;
const PEP: Pep = {
  name: 'edge',
  trusts: new Set(['client_address', 'rate', 'explain']),
  policies: ['default'],
  certificateHeader: null,
  forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
};

/** Public routes, so that nothing but rates decides. */
const ROUTES = {
  search: { methods: ['GET'], path: '/search', tier: 'low', public: true },
  login: { methods: ['POST'], path: '/login', tier: 'low', public: true },
  tenants: { methods: ['GET'], path: '/tenants/{tenant}', tier: 'low', public: true },
};
const NO_RATES = { client: {}, address: {}, token: {}, route: {} };

export type RateWorld = {
  /** Asks at `NOW` and so many milliseconds; `json` is the body, which only ext_authz hands on. */
  ask(afterMs: number, question: JsonObject, more?: { readonly identity?: Identity; readonly json?: JsonObject }): Promise<Decision>;
  /** Makes other limits the active ones; throws what the policies say against them. */
  activate(limits: JsonObject): Promise<void>;
  readonly records: readonly DecisionRecord[];
  readonly feedback: RunningFeedback;
  status(): readonly PolicyStatus[];
};

/** The whole path with the base pack's rules and other limits: real enricher, real policies; who asks is given. */
export async function createRateWorld(
  limits: JsonObject,
  windows: WindowStore = createMemoryWindows({ entriesMax: 1000, startedAtMs: 0 }),
): Promise<RateWorld> {
  const clock = { now: () => NOW, monotonic: () => 0 };
  const policies = createTestPolicies();
  const feedback = createFeedback(new RecentEntries(100, 300_000), null, (hits) => void windows.add(hits, NOW, 25));
  const memories = { behaviour: null, devices: null, feedback };
  const enricher = createEnricher({ databases: [], registryCountry: null, trustedProxies: [], windows, memories, clock });
  const records: DecisionRecord[] = [];
  let identity: Identity = identityOf({ client: null, tokenKey: null });
  const pdp = createPdp({
    policies,
    identifier: { identify: () => identity },
    enricher,
    sources: { introspection: (_request, facts) => facts },
    recorder: {
      record: (one) => {
        records.push(one);
        enricher.observe(one);
      },
    },
    clock,
  });
  const world: RateWorld = {
    async ask(afterMs, question, more = {}) {
      identity = more.identity ?? identityOf({ client: null, tokenKey: null });
      const asked = { id: '01978a3c-0000-7000-8000-000000000001', pep: PEP, receivedAtMs: NOW + afterMs, deadlineAtMs: 1e9, explain: true };
      const request = receiveDecide(new TextEncoder().encode(JSON.stringify(question)), asked);
      if ('refused' in request) throw new Error(`${request.refused} ${request.field ?? ''}`);
      const { http } = request;
      if (http === null || more.json === undefined) return pdp.decide(request);
      const body = { status: 'parsed', reason: null, contentType: 'application/json', size: 2, json: more.json } as const;
      return pdp.decide({ ...request, http: { ...http, body } });
    },
    async activate(changed) {
      const bundle = await editData(await baseBundle(), (data) => {
        const ours = Object(data['countersign']);
        return { ...data, countersign: { ...ours, routes: ROUTES, limits: { ...ours.limits, rate: NO_RATES, ...changed } } };
      });
      await policies.activate('default', bundle);
    },
    records,
    feedback,
    status: () => policies.status(),
  };
  await world.activate(limits);
  return world;
}

export const search = (ip: string, more: JsonObject = {}): JsonObject => ({
  request: { method: 'GET', host: 'api.example', path: '/search', ...more },
  source: { ip },
});

/** `signals.rate.value` of a decision that was explained. */
export function rateOf({ explanation }: Decision): JsonObject {
  const signals = explanation?.signals;
  const rate = isJsonObject(signals) ? signals['rate'] : null;
  const value = isJsonObject(rate) ? rate['value'] : null;
  return isJsonObject(value) ? value : {};
}
