import { isDeepStrictEqual } from 'node:util';
import { CountersignError } from '../contract/errors.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import type { HttpFetch } from '../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import { hasKeys } from './introspection/tokens.ts';
import { createKeySet, KEY_TIMING, type KeySet, type KeyTiming } from './keys.ts';
import { createKeyLoader } from './keys-document.ts';
import type { IssuerOptions } from './options.ts';
import { type Issuer, prepareIssuer } from './token.ts';

/** A file is cheap to read again, and a change should hold at once. */
const FILE_REFRESH_MS = 2000;

/** The configured issuers with their key sets, by their names. */
export type Issuers = {
  readonly all: readonly Issuer[];
  /** Of access tokens. */
  readonly issuers: ReadonlyMap<string, Issuer>;
  /** Of transaction tokens. */
  readonly services: ReadonlyMap<string, Issuer>;
};

export type IssuerParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly httpFetch: HttpFetch;
  readonly readFile: ReadDocumentFile;
  readonly keyTiming?: KeyTiming;
};

/**
 * Fails with `config_invalid` where two issuers of one kind have one name; a server may sign both kinds of tokens under one.
 * An issuer that is among those of `before` just so is that very one, and its keys stay where only something else of it differs. Fetches nothing.
 */
export function createIssuers(options: readonly IssuerOptions[], parts: IssuerParts, before: readonly Issuer[] = []): Issuers {
  const all = options.filter(hasKeys).map((issuer) => {
    const same = before.find((one) => isDeepStrictEqual(one.options, issuer));
    if (same !== undefined) return same;
    const source = before.find((one) => isDeepStrictEqual(sourceOf(one.options), sourceOf(issuer)));
    return prepareIssuer(issuer, source?.keys ?? createKeys(issuer, parts));
  });
  const ofKind = (txn: boolean) =>
    new Map(all.filter((one) => (one.options.kind === 'txn_token') === txn).map((one) => [one.options.issuer, one]));
  const names = new Set(options.map(({ kind, issuer }) => `${kind === 'txn_token'} ${issuer}`));
  if (names.size !== options.length) throw new CountersignError('config_invalid', { field: 'identity.issuers' });
  return { all, issuers: ofKind(false), services: ofKind(true) };
}

/** All that a key set is made of. */
function sourceOf({ kind, issuer, algorithms, jwksUrl, jwksFile, discovery, refreshSeconds, fetchTimeoutMs, ...more }: IssuerOptions) {
  const { allowInsecureHttp } = more;
  return { kind, issuer, algorithms, jwksUrl, jwksFile, discovery, refreshSeconds, fetchTimeoutMs, allowInsecureHttp };
}

function createKeys(options: IssuerOptions, parts: IssuerParts): KeySet {
  const refreshMs = options.refreshSeconds * 1000;
  return createKeySet({
    // the name by which status and metrics tell it from the key set of the same server's access tokens
    issuer: options.kind === 'txn_token' ? `${options.issuer} (txn_token)` : options.issuer,
    kind: options.kind,
    algorithms: new Set(options.algorithms),
    refreshMs: options.jwksFile === null ? refreshMs : Math.min(refreshMs, FILE_REFRESH_MS),
    load: createKeyLoader(options, parts),
    clock: parts.clock,
    logger: parts.logger,
    timing: parts.keyTiming ?? KEY_TIMING,
  });
}
