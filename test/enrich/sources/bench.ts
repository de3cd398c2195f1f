import type { Identity } from '../../../src/contract/identity.ts';
import type { NetworkSignal } from '../../../src/contract/network.ts';
import type { EnrichmentSignals, TokenValue } from '../../../src/contract/signals.ts';
import type { SourceStatus } from '../../../src/contract/sources.ts';
import type { SourceOptions } from '../../../src/enrich/sources/options.ts';
import { type AttributeSources, type AttributeSourcesParts, createAttributeSources } from '../../../src/enrich/sources/sources.ts';
import type { QuestionFacts } from '../../../src/enrich/sources/template-values.ts';
import { createBoundedCache } from '../../../src/stores/bounded-cache.ts';
import { CircuitBreaker } from '../../../src/stores/circuit-breaker.ts';
import type { ExchangeAnswer, ExchangeRequest, GuardedExchangeOptions } from '../../../src/stores/guarded-exchange.ts';
import { identityOf, NOW_MS, requestOf, routeOf } from '../requests.ts';

export const json = (value: unknown, status = 200, contentType: string | null = 'application/json'): ExchangeAnswer => ({
  ok: true,
  status,
  contentType,
  bytes: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
});
export const GOLD = json({ data: { tier: 'gold' } });

export const optionsOf = (change: Partial<SourceOptions> = {}): SourceOptions => ({
  name: 'risk',
  url: 'https://pip.internal/clients/{subject.client}',
  method: 'GET',
  headers: [],
  body: null,
  attributes: { tier: { pointer: '/data/tier', type: 'string', optional: false } },
  when: 'collect',
  notFound: 'absent',
  cacheSeconds: 60,
  negativeCacheSeconds: 5,
  cacheBytesMax: 100_000,
  timeoutMs: 1000,
  concurrencyMax: 4,
  breaker: { failuresMax: 3, openMs: 1000 },
  bytesMax: 1000,
  allowPrivate: [],
  caFile: null,
  ...change,
});

/** A world with a clock of its own, in which questions are answered as a test wants. */
export function createBench(options: readonly SourceOptions[], parts: Partial<AttributeSourcesParts> = {}) {
  const clock = { atMs: 1000, now: () => NOW_MS + clock.atMs, monotonic: () => clock.atMs };
  const asked: ExchangeRequest[] = [];
  const opened: GuardedExchangeOptions[] = [];
  const lines: { readonly level: string; readonly event: string; readonly fields: unknown }[] = [];
  const log = (level: string) => (event: string, fields?: unknown) => void lines.push({ level, event, fields });
  const hooks = { stopped: 0, answer: (_request: ExchangeRequest): Promise<ExchangeAnswer> | ExchangeAnswer => GOLD };
  const sources = some(
    createAttributeSources(options, {
      createExchange: (exchange) => {
        opened.push(exchange);
        return {
          send: async (request) => {
            asked.push(request);
            return hooks.answer(request);
          },
          stop: () => void hooks.stopped++,
        };
      },
      createCache: createBoundedCache,
      createBreaker: (breaker) => new CircuitBreaker(breaker, clock.monotonic),
      readFile: () => Promise.reject(new Error('no file')),
      clock,
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      ...parts,
    }),
  );
  type Change = Partial<QuestionFacts> & { readonly client?: string | null; readonly deadlineInMs?: number };
  const facts = (change: Change = {}): QuestionFacts => ({
    request: requestOf({ deadlineAtMs: clock.atMs + (change.deadlineInMs ?? 5000) }),
    identity: identityOf({ client: change.client === undefined ? 'agent-1' : change.client }),
    network: { status: 'absent', code: 'address_missing' },
    route: routeOf(),
    ...change,
  });

  /** What one source says. */
  async function ask({ request, identity, network, route } = facts(), name = 'risk') {
    const said = await sources.collect([name], request, { identity, enrichment: enrichmentOf(network) }, route);
    const signal = said.enrichment.sources?.[name];
    if (signal === undefined) throw new Error('no signal');
    return signal;
  }

  return Object.assign(hooks, {
    ...{ clock, asked, opened, lines, sources, facts, ask },
    /** The same in short. */
    async told(asking = facts()): Promise<string> {
      const signal = await ask(asking);
      return signal.status === 'present' ? JSON.stringify(signal.value.attributes) : `${signal.status} ${signal.code}`;
    },
    status(): SourceStatus {
      const [first] = sources.status();
      if (first === undefined) throw new Error('no source');
      return first;
    },
  });
}

/** All but the network unknown. */
export const enrichmentOf = (network: NetworkSignal): EnrichmentSignals => ({
  network,
  rate: { status: 'unavailable', code: 'store_full' },
  device: { status: 'absent', code: 'device_disabled' },
  behaviour: { status: 'absent', code: 'behaviour_disabled' },
});

/** A verified token, or what a gateway says of one. */
export function withToken(value: Partial<TokenValue>): Identity {
  const identity = identityOf();
  const token: TokenValue = {
    ...{ issuer: 'https://as.example', subject: 'alice', clientId: 'agent-1', audience: [], scopes: [], expiresAt: null, issuedAt: null },
    ...{ notBefore: null, acr: null, amr: [], authTime: null, jtiHash: null, binding: 'none', actor: null, delegation: null },
    ...{ authorizationDetails: [], roles: [], groups: [], entitlements: [], claims: {}, verifiedBy: 'countersign', keysFetchedAt: null },
    ...value,
  };
  return { ...identity, signals: { ...identity.signals, token: { status: 'present', value: token } } };
}

/** The address of a client of whom nothing else is known. */
export const networkOf = (address: string): NetworkSignal => ({ status: 'unavailable', code: 'database_broken', address });

function some(sources: AttributeSources | null): AttributeSources {
  if (sources === null) throw new Error('no sources');
  return sources;
}
