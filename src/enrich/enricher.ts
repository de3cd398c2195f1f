import { CountersignError } from '../contract/errors.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { EnrichmentSignals } from '../contract/signals.ts';
import type { Clock, Enricher, Observer } from '../contract/stages.ts';
import type { DatabaseStatus, EnrichStatus } from '../contract/status.ts';
import type { MmdbDatabase } from '../stores/mmdb.ts';
import type { WindowStore } from '../stores/windows.ts';
import { findClientAddress } from './client-address.ts';
import { createClockWatch } from './clock-watch.ts';
import { countFurther } from './further-rate.ts';
import { type IpBlock, parseAddressOrBlock } from './ip-address.ts';
import type { AddressLists } from './lists/address-lists.ts';
import { joinLists } from './lists/join-lists.ts';
import { describeNetwork, type NetworkSources } from './network.ts';
import { ageSeconds } from './network-age.ts';
import { countedAddress, describeRate, type RateQuestion, rateQuestion, reportableCosts, windowKeys } from './rate.ts';
import { learnFrom, lookAtMemories, type Memories, memoriesStatus } from './remembered.ts';
import { joinSources } from './sources/join-sources.ts';
import type { AttributeSources } from './sources/sources.ts';

export type EnricherOptions = NetworkSources & {
  /** Addresses and blocks of the proxies that vouch for the entry to their left. */
  readonly trustedProxies: readonly string[];
  readonly windows: WindowStore;
  /** Left out: nothing is remembered of clients. */
  readonly memories?: Memories;
  /** Left out where none is configured. */
  readonly lists?: AddressLists;
  /** Null or left out where none is configured. */
  readonly sources?: AttributeSources | null;
  readonly clock: Clock;
};

/** The stage with what others ask of it. */
export type RunningEnricher = Enricher &
  Observer & {
    /** The prefix of the client's address (/32, IPv6 /64) that pays for a request; null where there is none. */
    accountOf(request: DecisionRequest): string | null;
    /** The client's canonical address; null where it is not known. */
    addressOf(request: DecisionRequest): string | null;
    status(): EnrichStatus;
  };

const NO_MEMORIES: Memories = { behaviour: null, devices: null, feedback: null };

/** What the decision itself needs after the counters have answered. */
const RESERVED_MS = 10;

/**
 * WHAT ELSE we know about a request: network, rate, device and behaviour. With the memory store the answer is a plain value, with Redis a promise.
 * @throws CountersignError `config_invalid` for a trusted proxy that is no address or block.
 */
export function createEnricher(options: EnricherOptions): RunningEnricher {
  const { databases, windows, lists, sources = null, clock, memories = NO_MEMORIES } = options;
  const trustedProxies = options.trustedProxies.map(parseTrustedProxy);

  const wentBack = createClockWatch();

  const clientOf = ({ source, pep }: DecisionRequest) => findClientAddress(source, pep.forwardedFor, trustedProxies);

  return {
    accountOf: (request) => countedAddress(clientOf(request)),
    addressOf: (request) => clientOf(request).address?.text ?? null,
    enrich(request, identity, route): EnrichmentSignals | Promise<EnrichmentSignals> {
      const client = clientOf(request);
      const described = describeNetwork(client, options, request.receivedAtMs);
      const network = lists === undefined ? described : joinLists(described, client, lists);
      const budgetMs = request.deadlineAtMs - clock.monotonic() - RESERVED_MS;
      const question = flagged(rateQuestion(request, identity, route, client), wentBack(request.receivedAtMs));
      const answer = windows.count(question.keys, request.receivedAtMs, budgetMs);
      const remembered = lookAtMemories(memories, request, identity, network, question.keys, budgetMs);
      const join = (counts: Awaited<typeof answer>, { device, behaviour }: Awaited<typeof remembered>): EnrichmentSignals => {
        return { network, rate: describeRate(counts, request.pepRate, question), device, behaviour };
      };
      const waits = answer instanceof Promise || remembered instanceof Promise;
      const known = waits ? Promise.all([answer, remembered]).then((both) => join(...both)) : join(answer, remembered);
      return sources === null ? known : joinSources(known, sources.prefetch({ request, identity, network, route }));
    },
    enrichFurther(request, identity, route, before) {
      const budgetMs = request.deadlineAtMs - clock.monotonic() - RESERVED_MS;
      return countFurther(windows, { request, identity, route, client: clientOf(request), budgetMs }, before);
    },
    observe(record) {
      const { request, identity, route, further, decision } = record;
      if (identity === null || route === null) return;
      // a batch is one request of its client: one refusal at most, and one allow, are learnt from it
      if (further !== undefined && (further.allowedBefore || decision.effect !== 'allow')) return;
      learnFrom(memories, record, () => {
        const client = clientOf(request);
        const keys = windowKeys(identity, route, client);
        return { pep: request.pep.name, client: keys.client, costs: reportableCosts(request, identity, route, keys.address) };
      });
    },
    status: () => ({
      databases: databases.map((database) => agedStatus(database, clock)),
      store: windows.status(),
      lists: lists?.status() ?? [],
      remembered: memoriesStatus(memories),
      ...(sources === null ? {} : { sources: sources.status() }),
    }),
  };
}

function flagged(question: RateQuestion, back: boolean): RateQuestion {
  return back ? { ...question, flags: ['clock_back', ...question.flags] } : question;
}

function agedStatus(database: MmdbDatabase, clock: Clock): DatabaseStatus {
  const status = database.status();
  return { ...status, ageSeconds: ageSeconds(status.builtAt, Math.floor(clock.now() / 1000)) };
}

function parseTrustedProxy(text: string, index: number): IpBlock {
  const block = parseAddressOrBlock(text);
  if (block === null) throw new CountersignError('config_invalid', { field: `network.trustedProxies[${index}]` });
  return block;
}
