import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import Provider, { type JWK } from 'oidc-provider';

export type OidcClient = {
  readonly id: string;
  /** All scopes that it may ask for. */
  readonly scopes: readonly string[];
  /** Its tokens are bound to its certificate (RFC 8705 section 3.4). */
  readonly certificateBound?: boolean;
  /** It authenticates by assertions of this key (RFC 7523) instead of the secret of the tests. */
  readonly assertionKey?: JWK;
  /** Answers about tokens come to it as JWT of this algorithm (RFC 9701). */
  readonly signedAnswers?: 'RS256' | 'ES256';
};

export type OidcOptions = {
  readonly clients: readonly OidcClient[];
  /** The resource, which becomes `aud`; an absolute URI. */
  readonly audience: string;
  readonly algorithm?: 'RS256' | 'ES256';
  /** Lifetime of an access token, seconds. */
  readonly ttlSeconds?: number;
  /** Opaque ones can be introspected and revoked. */
  readonly format?: 'jwt' | 'opaque';
};

/** A real authorization server on loopback. */
export interface OidcServer {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly audience: string;
  /** Client-credentials grant (RFC 6749 4.4) over HTTP; gives the access token, a JWT of type at+jwt (RFC 9068). */
  token(clientId: string, scopes: readonly string[]): Promise<string>;
  /** The same, bound to a client's key (RFC 9449 section 5); `prove` makes the proof for the address of the token endpoint. */
  boundToken(clientId: string, scopes: readonly string[], prove: (htu: string) => Promise<string>): Promise<string>;
  /** The same, bound to a certificate (RFC 8705 section 3), which a TLS terminator in front would hand on by a header. */
  certificateToken(clientId: string, scopes: readonly string[], pem: string): Promise<string>;
  /** RFC 7009, by the client itself. */
  revoke(clientId: string, token: string): Promise<void>;
  /** From now on the key set holds keys of these names, made when they are first named; the first one signs. It begins with `rs-1`. */
  rotate(...kids: readonly [string, ...string[]]): void;
  /** How the key set is answered: never (`hangs`), or not even the port is open (`away`, for tokens too). */
  keys(state: 'served' | 'hangs' | 'away'): Promise<void>;
  stop(): Promise<void>;
}

const CERTIFICATE_HEADER = 'x-test-client-certificate';
/** Of every client without a key. */
export const SECRET = 'a-secret-of-the-tests-only';

/** The same for all providers of this process. */
const ecKey = privateJwk('ec', 'es-1', 'ES256');

/** npm oidc-provider with the settings of TRAPS 7; keys are made anew at each start. */
export async function startOidc(options: OidcOptions): Promise<OidcServer> {
  const algorithm = options.algorithm ?? 'RS256';
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the authorization server has no port');
  const issuer = `http://127.0.0.1:${address.port}`;
  const keys = new Map<string, JWK>();
  const keyOf = (kid: string): JWK => {
    const key = keys.get(kid) ?? privateJwk('rsa', kid, 'RS256');
    keys.set(kid, key);
    return key;
  };
  // a provider does not change its keys while it runs: another one takes its place, behind the same port
  let provider = createProvider(issuer, algorithm, [keyOf('rs-1')], options).callback();
  let hanging = false;
  server.on('request', (request, response) => {
    if (!hanging || request.url !== '/jwks') void provider(request, response);
  });
  async function grant(clientId: string, scopes: readonly string[], headers: Readonly<Record<string, string>>): Promise<string> {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { ...headers, authorization: `Basic ${Buffer.from(`${clientId}:${SECRET}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: scopes.join(' '), resource: options.audience }),
    });
    const text = await response.text();
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'access_token' in body && typeof body.access_token === 'string') {
      return body.access_token;
    }
    throw new Error(`no token: ${response.status} ${text}`);
  }

  return {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    audience: options.audience,
    token: (clientId, scopes) => grant(clientId, scopes, {}),
    boundToken: async (clientId, scopes, prove) => grant(clientId, scopes, { dpop: await prove(`${issuer}/token`) }),
    certificateToken: (clientId, scopes, pem) => grant(clientId, scopes, { [CERTIFICATE_HEADER]: encodeURIComponent(pem) }),
    async revoke(clientId, token) {
      const authorization = `Basic ${Buffer.from(`${clientId}:${SECRET}`).toString('base64')}`;
      const body = new URLSearchParams({ token });
      const { status } = await fetch(`${issuer}/token/revocation`, { method: 'POST', headers: { authorization }, body });
      if (status !== 200) throw new Error(`not revoked: ${status}`);
    },
    rotate(...kids) {
      provider = createProvider(issuer, algorithm, kids.map(keyOf), options).callback();
    },
    async keys(state) {
      hanging = state === 'hangs';
      if (state === 'away') await closed(server);
      else if (!server.listening) await new Promise<void>((resolve) => server.listen(address.port, '127.0.0.1', resolve));
    },
    stop: () => closed(server),
  };
}
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function createProvider(issuer: string, algorithm: 'RS256' | 'ES256', keys: readonly JWK[], options: OidcOptions): Provider {
  const scopes = [...new Set(options.clients.flatMap((client) => client.scopes))];
  return new Provider(issuer, {
    clients: options.clients.map((client) => ({
      client_id: client.id,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      scope: client.scopes.join(' '),
      ...(client.certificateBound === true ? { tls_client_certificate_bound_access_tokens: true } : {}),
      ...(client.assertionKey === undefined
        ? {}
        : { token_endpoint_auth_method: 'private_key_jwt' as const, jwks: { keys: [client.assertionKey] } }),
      ...(client.signedAnswers === undefined ? {} : { introspection_signed_response_alg: client.signedAnswers }),
    })),
    scopes,
    // an RSA key stays beside the EC one: without it the provider refuses clients with the default id-token algorithm
    jwks: { keys: [...keys, ecKey] },
    ttl: { ClientCredentials: options.ttlSeconds ?? 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: (context) => decodeURIComponent(context.get(CERTIFICATE_HEADER)) || undefined,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => options.audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: scopes.join(' '),
          audience: options.audience,
          ...(options.format === 'opaque'
            ? { accessTokenFormat: 'opaque' }
            : { accessTokenFormat: 'jwt', jwt: { sign: { alg: algorithm } } }),
        }),
      },
    },
  });
}

function privateJwk(type: 'rsa' | 'ec', kid: string, alg: string): JWK {
  const { privateKey } =
    type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = privateKey.export({ format: 'jwk' });
  return { ...jwk, kty: type === 'rsa' ? 'RSA' : 'EC', kid, alg, use: 'sig' };
}
