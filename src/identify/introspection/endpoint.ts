import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  customFetch,
  introspectionRequest,
  processIntrospectionResponse,
  validateApplicationLevelSignature,
} from 'oauth4webapi';
import type { ErrorCode } from '../../contract/codes.ts';
import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { Awaitable, Clock } from '../../contract/stages.ts';
import type { FormAnswer, FormPost } from '../../stores/form-post.ts';
import type { HttpFetch } from '../../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import { discover } from '../keys-document.ts';
import type { IssuerOptions } from '../options.ts';
import { parseStrictObject } from '../strict-json.ts';
import { createClientAuthentication } from './client-authentication.ts';
import type { IntrospectionOptions } from './options.ts';

const ANSWER_BYTES_MAX = 65_536;
const KEYS_BYTES_MAX = 524_288;
/** Metadata changes rarely; an endpoint that fails makes it be read again. */
const METADATA_KEPT_MS = 3_600_000;
/** Our credentials, the number of our questions, an endpoint that is none. */
const OF_ANY_TOKEN = new Set([401, 404, 405, 410, 429]);
const MOVED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['fetch_failed', 'introspection_refused']);
const JSON_TYPE = /^application\/json\s*(;|$)/i;
const SIGNED_TYPE = /^application\/token-introspection\+jwt\s*(;|$)/i;

export type EndpointParts = {
  readonly clock: Clock;
  readonly httpFetch: HttpFetch;
  readonly formPost: FormPost;
  readonly readFile: ReadDocumentFile;
};

/** The introspection endpoint of one authorization server. */
export interface IntrospectionEndpoint {
  /** Its address and our name there, as far as they are known: what an answer depends on beside the token. */
  readonly identity: string;
  /**
   * Asks about a token (RFC 7662 section 2): the members of an answer `active: true`, or null for `active: false`.
   * Fails with `fetch_failed`, `fetch_too_large`, `keys_invalid` (metadata), `introspection_refused` or `introspection_invalid`.
   */
  ask(token: string, signal: AbortSignal): Promise<JsonObject | null>;
}

/** Speaks RFC 7662 and RFC 9701 through oauth4webapi, which this folder owns; bytes come and go by our own bounded client. */
export function createIntrospectionEndpoint(
  issuer: IssuerOptions,
  options: IntrospectionOptions,
  parts: EndpointParts,
): IntrospectionEndpoint {
  const { clock, httpFetch, formPost } = parts;
  const authentication = createClientAuthentication(options.authentication, parts);
  const client: Client = {
    client_id: options.clientId,
    ...(options.signedAnswers === null ? {} : { introspection_signed_response_alg: options.signedAnswers }),
  };
  let server: AuthorizationServer | null = null;
  let serverUntilMs = Number.NEGATIVE_INFINITY;
  let finding: Promise<AuthorizationServer> | null = null;
  let identity = identityOf(options.endpoint, options.clientId);

  /** One look-up for all who need it meanwhile. */
  function serverOf(signal: AbortSignal): Awaitable<AuthorizationServer> {
    if (server !== null && clock.monotonic() < serverUntilMs) return server;
    finding ??= find(signal).finally(() => {
      finding = null;
    });
    return finding;
  }

  async function find(signal: AbortSignal): Promise<AuthorizationServer> {
    const bounds = { timeoutMs: options.timeoutMs, bytesMax: KEYS_BYTES_MAX, allowInsecureHttp: issuer.allowInsecureHttp, signal };
    const endpoint = options.endpoint ?? (await discover(issuer.issuer, httpFetch, bounds, 'introspection_endpoint'));
    const jwksUri = options.signedAnswers === null ? null : (issuer.jwksUrl ?? (await discover(issuer.issuer, httpFetch, bounds)));
    server = { issuer: issuer.issuer, introspection_endpoint: endpoint, ...(jwksUri === null ? {} : { jwks_uri: jwksUri }) };
    serverUntilMs = clock.monotonic() + METADATA_KEPT_MS;
    identity = identityOf(endpoint, options.clientId);
    return server;
  }

  async function ask(token: string, signal: AbortSignal): Promise<JsonObject | null> {
    const as = await serverOf(signal);
    let members: JsonObject | null = null;
    const post = async (url: string, request: { readonly headers: Record<string, string>; readonly body: URLSearchParams }) => {
      const bounds = { timeoutMs: options.timeoutMs, bytesMax: ANSWER_BYTES_MAX, allowInsecureHttp: issuer.allowInsecureHttp, signal };
      const answer = await formPost(url, { headers: request.headers, body: request.body.toString() }, bounds);
      if (answer.status !== 200) {
        // with a secret in the form some servers say so by 400
        if (answer.status < 500) authentication.refused();
        throw refusedBy(answer);
      }
      members = membersOf(answer, options);
      return new Response(answer.bytes, { status: 200, headers: { 'content-type': answer.contentType ?? '' } });
    };
    // the library's own rule for plain http knows no loopback; the client behind `post` has ours
    const response = await introspectionRequest(as, client, await authentication.current(), token, {
      [customFetch]: post,
      [allowInsecureRequests]: true,
      additionalParameters: { token_type_hint: 'access_token' },
      requestJwtResponse: options.signedAnswers !== null,
    });
    const processed: unknown = await processIntrospectionResponse(as, client, response);
    if (options.signedAnswers !== null) {
      await validateApplicationLevelSignature(as, response, { [customFetch]: fetchKeys, [allowInsecureRequests]: true });
      members = isJsonObject(processed) ? processed : null;
    }
    if (members === null) throw new CountersignError('introspection_invalid');
    return members['active'] === true ? members : null;
  }

  async function fetchKeys(url: string): Promise<Response> {
    const bounds = { timeoutMs: options.timeoutMs, bytesMax: KEYS_BYTES_MAX, allowInsecureHttp: issuer.allowInsecureHttp };
    const { bytes, contentType } = await httpFetch(url, bounds);
    return new Response(new Uint8Array(bytes), { status: 200, headers: { 'content-type': contentType ?? 'application/json' } });
  }

  return {
    get identity() {
      return identity;
    },
    async ask(token, signal) {
      try {
        return await ask(token, signal);
      } catch (thrown) {
        if (thrown instanceof CountersignError) {
          // it may have moved; an answer to one odd token says nothing of that
          if (MOVED.has(thrown.code)) server = null;
          throw thrown;
        }
        // no cause: the library's errors carry the answer, which may hold what the token stands for
        throw new CountersignError('introspection_invalid', { detail: thrown instanceof Error ? thrown.name : 'unknown' });
      }
    },
  };
}

function identityOf(address: string | null, clientId: string): string {
  return JSON.stringify([address, clientId]);
}

/**
 * Any other status than 200; the answer itself is not read, it may quote what was sent. `introspection_refused` where every question would end so,
 * `introspection_invalid` where it may lie in this token.
 */
function refusedBy({ status }: FormAnswer): CountersignError {
  // a redirect leads every question away
  const isOfAny = status >= 500 || (status >= 300 && status < 400) || OF_ANY_TOKEN.has(status);
  const code = isOfAny ? 'introspection_refused' : 'introspection_invalid';
  return new CountersignError(code, { detail: `status ${status}` });
}

/** The members of a JSON answer that every parser reads alike; of a signed one nothing is read before its signature is verified. */
function membersOf({ bytes, contentType }: FormAnswer, { signedAnswers }: IntrospectionOptions): JsonObject | null {
  const wanted = signedAnswers === null ? JSON_TYPE : SIGNED_TYPE;
  // an answer as JWT that was not asked for would be taken without its signature; no token makes a server answer in another type
  if (contentType === null || !wanted.test(contentType)) throw new CountersignError('introspection_refused', { detail: 'content type' });
  if (signedAnswers !== null) return null;
  const members = parseStrictObject(bytes);
  if (members === null) throw new CountersignError('introspection_invalid', { detail: 'no JSON object' });
  return members;
}
