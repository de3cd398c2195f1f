import type { JsonObject } from '../contract/json.ts';
import type { PreparedChange } from '../contract/lifecycle.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { TokenValue } from '../contract/signals.ts';
import type { Awaitable } from '../contract/stages.ts';
import type { IdentifyStatus } from '../contract/status.ts';
import { within } from '../contract/within.ts';
import type { Introspector } from './introspection/introspector.ts';
import { type AskedServer, createIntrospectionMemory, createServers, type IntrospectionParts } from './introspection/servers.ts';
import { collectAnswer, createTokenIntrospection } from './introspection/tokens.ts';
import { createIssuers, type IssuerParts, type Issuers } from './issuers.ts';
import type { IdentityOptions, IssuerOptions } from './options.ts';
import { createTokenMemory, createTokenVerifier, type Issuer, type TokenVerifier } from './token.ts';
import type { TokenOutcome } from './token-outcome.ts';
import { createTxnTokenVerifier, type TxnTokenVerifier } from './txn-token.ts';

/** All that is made of the issuers as they are configured at one time; a request keeps the one that it began with. */
export type IssuerGeneration = {
  readonly issuers: Issuers;
  readonly servers: readonly AskedServer[];
  readonly verify: TokenVerifier['verify'];
  readonly txnTokens: TxnTokenVerifier;
};

/** The issuers, as they change while the service runs. */
export interface ChangingIssuers {
  readonly current: IssuerGeneration;
  /**
   * What its server says of a token that was verified already, the server being that of the issuer as it was verified by; undefined where no server is
   * asked. Never throws.
   */
  collect(token: string, value: TokenValue, request: DecisionRequest): Awaitable<TokenOutcome> | undefined;
  /**
   * Other issuers for those of now; what stays as it is keeps its keys and their age, and nothing is fetched for it. Resolves once the keys of what is
   * new are there, after a second at the latest. Rejects with `config_invalid`; one change at a time.
   */
  prepare(issuers: readonly IssuerOptions[]): Promise<PreparedChange>;
  /** Fetches the first keys; never rejects. */
  start(): Promise<void>;
  stop(): void;
  status(): Pick<IdentifyStatus, 'tokenCache' | 'negativeCache' | 'txnTokenCache' | 'keySets' | 'introspection'>;
}

export type ChangingIssuersParts = IssuerParts &
  IntrospectionParts & {
    /** What is left of a token once the revocations were looked at. */
    readonly held: (outcome: TokenOutcome) => TokenOutcome;
    /** No request takes longer: what was replaced is closed after this. */
    readonly requestMsMax: number;
  };

/** Keys that are not there by then are waited for by nobody but the requests that need them. */
const READY_WAIT_MS = 1000;

/** Caches, budgets and counts are of all generations; each of them counts for the issuers that filled it. Fails with `config_invalid`. */
export function createChangingIssuers(options: IdentityOptions, parts: ChangingIssuersParts): ChangingIssuers {
  const { createCache } = parts;
  const tokens = createTokenMemory(options, createCache);
  const txnTokens = createTokenMemory(options, createCache);
  const answers = createIntrospectionMemory(options, createCache);
  /** Of each verified token, so that a policy's question goes to the server that its issuer had then. */
  const servedBy = new WeakMap<JsonObject, Introspector>();
  const leaving = new Map<NodeJS.Timeout, () => void>();
  let current = build(options.issuers, null);

  function build(issuerOptions: readonly IssuerOptions[], before: IssuerGeneration | null): IssuerGeneration {
    const issuers = createIssuers(issuerOptions, parts, before?.issuers.all);
    const servers = createServers(issuerOptions, options.actorDepthMax, parts, answers, before?.servers);
    const byName = new Map(servers.map(({ issuer, introspector }) => [issuer.issuer, introspector]));
    const note = (claims: JsonObject, { options: { issuer } }: Issuer): void => {
      const server = byName.get(issuer);
      if (server !== undefined) servedBy.set(claims, server);
    };
    const onVerified = byName.size === 0 ? undefined : note;
    const verifier = createTokenVerifier(options, issuers.issuers, { ...parts, onVerified }, tokens);
    const introspection = createTokenIntrospection(options, servers, verifier);
    return {
      issuers,
      servers,
      verify: (introspection ?? verifier).verify,
      txnTokens: createTxnTokenVerifier(options, issuers.services, parts, txnTokens, parts.held),
    };
  }

  /** Those of `all` that `kept` has not. */
  function closeBeside(all: IssuerGeneration, kept: IssuerGeneration): void {
    const keys = new Set(kept.issuers.all.map((one) => one.keys));
    const servers = new Set(kept.servers);
    for (const one of all.issuers.all) if (!keys.has(one.keys)) one.keys.stop();
    for (const one of all.servers) if (!servers.has(one)) one.introspector.stop();
  }

  function leave(before: IssuerGeneration, next: IssuerGeneration): void {
    const close = (): void => closeBeside(before, next);
    const timer = setTimeout(() => {
      leaving.delete(timer);
      close();
    }, parts.requestMsMax);
    timer.unref();
    leaving.set(timer, close);
  }

  return {
    get current() {
      return current;
    },
    collect(token, value, request) {
      const introspector = value.verifiedBy === 'pep' ? undefined : servedBy.get(value.claims);
      return introspector === undefined ? undefined : collectAnswer(introspector, token, value, request);
    },
    async prepare(issuers) {
      const before = current;
      const next = build(issuers, before);
      const known = new Set(before.issuers.all.map((one) => one.keys));
      const added = next.issuers.all.flatMap(({ keys }) => (known.has(keys) ? [] : [keys]));
      await within<unknown>(READY_WAIT_MS, Promise.all(added.map((keys) => keys.start())), null);
      return {
        commit() {
          current = next;
          leave(before, next);
        },
        discard: () => closeBeside(next, before),
      };
    },
    async start() {
      await Promise.all(current.issuers.all.map(({ keys }) => keys.start()));
    },
    stop() {
      for (const [timer, close] of leaving) {
        clearTimeout(timer);
        close();
      }
      for (const { keys } of current.issuers.all) keys.stop();
      for (const { introspector } of current.servers) introspector.stop();
    },
    status: () => ({
      tokenCache: tokens.verified.status(),
      negativeCache: tokens.refused.status(),
      txnTokenCache: txnTokens.verified.status(),
      keySets: current.issuers.all.map(({ keys }) => keys.status()),
      ...(current.servers.length === 0
        ? {}
        : { introspection: { servers: current.servers.map(({ introspector }) => introspector.status()), cache: answers.cache.status() } }),
    }),
  };
}
