import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { ErrorCode } from '../contract/codes.ts';
import type { Pep } from '../contract/pep.ts';
import { peerCertificate } from './peer-certificate.ts';
import type { PepAuth } from './pep-auth.ts';

/* What every JSON call of a gateway has to be before its body is read. */

/** With `pep_unauthenticated`. The realm says that it is the gateway who is unknown here, not the client behind it. */
export const GATEWAY_CHALLENGE = { 'www-authenticate': 'Bearer realm="Countersign PDP: the calling gateway"' };

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;

/** Why this is no POST of JSON, or null. */
export function refusalOfCall(request: IncomingMessage): ErrorCode | null {
  if (request.method !== 'POST') return 'method_not_allowed';
  const type = request.headers['content-type'];
  if (type === undefined || !JSON_TYPE.test(type)) return 'content_type_unsupported';
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return 'content_encoding_unsupported';
  return null;
}

/** The gateway that calls, or null. */
export function authenticateCall(request: IncomingMessage, pepAuth: PepAuth): Pep | null {
  const { socket } = request;
  const certificate = socket instanceof TLSSocket ? peerCertificate(socket) : null;
  const own = request.headers['x-countersign-pep-token'];
  const { authorization } = request.headers;
  const bearer = authorization === undefined ? null : bearerOf(authorization);
  if (own === undefined) return pepAuth.authenticate({ token: bearer, certificate });
  // both ways at once have to say the same
  if (typeof own !== 'string' || (bearer !== null && bearer !== own)) return null;
  return pepAuth.authenticate({ token: own, certificate });
}

const BEARER = /^bearer +([^ ]+)$/i;

/** The token; of any other scheme the empty string, which is something offered and wrong. */
function bearerOf(authorization: string): string {
  return BEARER.exec(authorization)?.[1] ?? '';
}
