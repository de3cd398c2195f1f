import type { IdentifierParts } from '../../../src/identify/identifier.ts';
import type { IntrospectionOptions } from '../../../src/identify/introspection/options.ts';
import type { IdentityOptions, IssuerOptions } from '../../../src/identify/options.ts';
import { type IntrospectionServer, type Question, startIntrospectionServer } from '../../support/introspection-server.ts';
import { AUDIENCE, type Bench, type Claims, createBench, ISSUER, identityOptions, issuerOptions, NOW } from '../fixtures.ts';

/** What a server says of a good token. */
export const ACTIVE: Claims = {
  active: true,
  token_type: 'Bearer',
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'alice',
  client_id: 'svc-a',
  scope: 'orders:read',
  iat: NOW - 10,
  exp: NOW + 300,
};

export function introspectionOptions(more: Partial<IntrospectionOptions> = {}): IntrospectionOptions {
  return {
    mode: 'opaque',
    endpoint: null,
    clientId: 'rs',
    authentication: { method: 'client_secret_basic', secret: 's3cret', secretFile: null, keyFile: null, algorithm: null, kid: null },
    opaqueTokens: { peps: [], hosts: [] },
    cacheSeconds: 60,
    inactiveCacheSeconds: 5,
    timeoutMs: 2000,
    concurrencyMax: 64,
    tokenTypeRequired: true,
    signedAnswers: null,
    ...more,
  };
}

export type IntrospectionBench = Bench & { readonly server: IntrospectionServer };

/** An identifier over one issuer that asks a server of the test, which knows the tokens that `answers` names. */
export async function createIntrospectionBench(
  answers: Readonly<Record<string, Claims>> | ((question: Question) => Claims) = { good: ACTIVE },
  more: {
    readonly introspection?: Partial<IntrospectionOptions>;
    readonly issuer?: Partial<IssuerOptions>;
    readonly options?: Partial<IdentityOptions>;
    readonly parts?: Partial<IdentifierParts>;
  } = {},
): Promise<IntrospectionBench> {
  const server = await startIntrospectionServer();
  server.answer = typeof answers === 'function' ? answers : ({ token }) => answers[token] ?? { active: false };
  const introspection = introspectionOptions({ endpoint: server.url, ...more.introspection });
  const bench = createBench(identityOptions([issuerOptions({ introspection, ...more.issuer })], more.options), more.parts);
  return { ...bench, server };
}
