import type { Identity } from '../contract/identity.ts';
import type { Pep } from '../contract/pep.ts';
import type { Clock, Identifier, Logger, Pdp, Policies } from '../contract/stages.ts';

import { SMOKE_FACTS } from '../decide/smoke.ts';
import { receiveCheck } from '../endpoints/ext-authz/receive.ts';
import { createCheckResponder } from '../endpoints/ext-authz/respond.ts';
import { checkRequest } from '../endpoints/ext-authz/schema.ts';
import { createEnricher, type EnricherOptions } from '../enrich/enricher.ts';
import { createPdp } from '../pdp.ts';
import { createMemoryWindows } from '../stores/memory-windows.ts';

export type WarmUpParts = {
  readonly policies: Policies & { readonly names: readonly string[] };
  readonly identifier: Identifier;
  /** Of the service's own, whose counters and memories are left out. */
  readonly enricher: EnricherOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0: none. */
  readonly warmUpMs: number;
};

/** Decides questions of its own, so that those of others find code that is compiled. */
export interface WarmUp {
  /** Comes to its end within the time that it has, or by `stop`. Never rejects. */
  run(): Promise<void>;
  /** False until it has come to its end. */
  done(): boolean;
  stop(): void;
}

/** So many, where the time allows: after them a decision costs about what it will cost. */
const DECISIONS = 2000;
/** Probes, signals and questions have their turn after so long. */
const TURN_MS = 5;
const DEADLINE_MS = 1000;
const WINDOWS = { entriesMax: 100, counterEntriesMax: 100 };
const NO_MEMORIES = { behaviour: null, devices: null, feedback: null };
const CLAIMS = { namespace: 'envoy.filters.http.jwt_authn', key: null };

/**
 * A new process decides its first questions in bytecode, at several times the cost, while threads beside it compile: a replica that takes half of the
 * traffic in that state, beside one that starts, may be late for seconds. So the way of a question over gRPC is gone here first, with what is made
 * for it: nothing of it is counted, remembered or recorded, and no other system is asked.
 */
export function createWarmUp(parts: WarmUpParts): WarmUp {
  const { clock, logger, warmUpMs } = parts;
  let ended = warmUpMs === 0;

  async function work(): Promise<void> {
    const startedAtMs = clock.monotonic();
    const endsAtMs = startedAtMs + warmUpMs;
    const ask = createAsk(parts);
    let decisions = 0;
    while (!ended && decisions < DECISIONS && clock.monotonic() < endsAtMs) {
      const turnEndsAtMs = clock.monotonic() + TURN_MS;
      do {
        await ask(decisions);
        decisions += 1;
      } while (clock.monotonic() < turnEndsAtMs && decisions < DECISIONS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    logger.info('warmed_up', { decisions, ms: Math.round(clock.monotonic() - startedAtMs) });
  }

  return {
    async run() {
      if (ended) return;
      try {
        await work();
      } catch (cause) {
        // it would have been faster, no more
        logger.warn('warm_up_failed', { cause });
      }
      ended = true;
    },
    done: () => ended,
    stop() {
      ended = true;
    },
  };
}

/** The way of one question: bytes, request, decision, bytes. */
function createAsk({ policies, identifier, enricher: options, clock }: WarmUpParts): (index: number) => Promise<void> {
  const windows = createMemoryWindows({ ...WINDOWS, startedAtMs: clock.now() });
  const enricher = createEnricher({ ...options, windows, memories: NO_MEMORIES, sources: null });
  const rest = { policies, enricher, sources: { introspection: refuse, attributes: null }, recorder: { record: () => undefined }, clock };
  const pdps: readonly Pdp[] = [createPdp({ ...rest, identifier }), createPdp({ ...rest, identifier: { identify: () => KNOWN } })];
  const responder = createCheckResponder({ errorResponse: false });
  const bytes = ['GET', 'POST'].map(question);
  const peps = policies.names.map(pepFor);
  return async (index) => {
    const pep = peps[index % peps.length];
    const round = Math.floor(index / peps.length);
    const pdp = pdps[round % pdps.length];
    const message = bytes[Math.floor(round / pdps.length) % bytes.length];
    if (pep === undefined || pdp === undefined || message === undefined) return;
    const call = { id: SMOKE_FACTS.request.id, receivedAtMs: clock.now(), deadlineAtMs: clock.monotonic() + DEADLINE_MS, pep };
    const received = receiveCheck(message, call, CLAIMS);
    if (received.ok) responder.decided(await pdp.decide(received.request));
  };
}

/** A policy that collects has its first half only. */
function refuse(): never {
  throw new Error('nobody is asked');
}

function pepFor(name: string): Pep {
  return {
    name: 'warm-up',
    trusts: new Set(['client_address']),
    policies: [name],
    policiesKnown: [name],
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: true, hops: null },
    certificateHeader: null,
  };
}

function question(method: string): Uint8Array {
  const headers = {
    ...{ 'user-agent': 'warm-up', accept: 'application/json', 'content-type': 'application/json' },
    ...{ 'x-forwarded-for': '192.0.2.1', 'x-request-id': SMOKE_FACTS.request.id },
  };
  const http = {
    ...{ id: '1', method, path: '/orders/42?view=full', host: 'api.example.com', scheme: 'https', size: -1 },
    ...{ body: new Uint8Array(), rawBody: new Uint8Array() },
    headers: [],
    headerMap: { headers: Object.entries(headers).map(([key, value]) => ({ key, value: '', rawValue: Buffer.from(value) })) },
  };
  const address = { socketAddress: { address: '192.0.2.1', portValue: 40_312 } };
  const attributes = { source: { address, principal: '', certificate: '' }, request: { http }, tlsSession: null };
  return checkRequest.encode({ attributes: { ...attributes, contextExtensions: [], metadataContext: null } });
}

/** A caller with a token. */
const KNOWN: Identity = {
  ...SMOKE_FACTS.identity,
  signals: {
    ...SMOKE_FACTS.identity.signals,
    token: {
      status: 'present',
      value: {
        issuer: 'https://as.example',
        subject: 'warm-up',
        clientId: 'warm-up',
        audience: ['https://api.example.com'],
        scopes: ['orders:read', 'orders:write'],
        expiresAt: 4_000_000_000,
        issuedAt: 1_780_308_000,
        notBefore: null,
        acr: null,
        amr: [],
        authTime: null,
        jtiHash: null,
        binding: 'none',
        actor: null,
        delegation: { depth: 0, actorIdentified: true, widened: false, widenedScopes: [], complete: true },
        authorizationDetails: [],
        roles: [],
        groups: [],
        entitlements: [],
        claims: {},
        verifiedBy: 'countersign',
        keysFetchedAt: 1_780_308_000,
      },
    },
  },
  subject: { ...SMOKE_FACTS.identity.subject, id: 'warm-up', client: 'warm-up' },
  evidence: { ...SMOKE_FACTS.identity.evidence, methods: ['token'], assurance: 2 },
  tokenKey: 'warm-up',
};
