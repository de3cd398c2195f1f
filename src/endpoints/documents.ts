import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendProblem } from './problem.ts';

/** A document that anybody may read, whoever asks. */
export type PublicDocument = {
  /** Raw targets, exactly. */
  readonly paths: readonly string[];
  readonly contentType: string;
  /** How long it may be kept, seconds. */
  readonly maxAgeSeconds: number;
  readonly text: () => string;
};

const KEYS_PATH = '/.well-known/jwks.json';

/** The keys that assertions are verified by: at the root, and below the path of the public URL too, whether a proxy cuts that off or not. */
export function keysDocument(publicUrl: string | null, text: () => string): PublicDocument {
  const { pathname } = new URL(publicUrl ?? 'http://localhost');
  const below = `${pathname.replace(/\/$/, '')}${KEYS_PATH}`;
  return { paths: [...new Set([KEYS_PATH, below])], contentType: 'application/jwk-set+json', maxAgeSeconds: 300, text };
}

/** The OpenAPI document of this listener. */
export function apiDocument(text: string): PublicDocument {
  return { paths: ['/openapi.json'], contentType: 'application/json', maxAgeSeconds: 300, text: () => text };
}

/** Answers the request if its target is that of a document; false where it is not, and nothing has happened. */
export function createDocumentsRoute(
  documents: readonly PublicDocument[],
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const byPath = new Map(documents.flatMap((one) => one.paths.map((path): [string, PublicDocument] => [path, one])));
  return (request, response) => {
    const document = byPath.get(request.url ?? '');
    if (document === undefined) return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendProblem(response, 'method_not_allowed', { headers: { allow: 'GET, HEAD' } });
      return true;
    }
    const text = document.text();
    response.writeHead(200, {
      'content-type': document.contentType,
      'cache-control': `max-age=${document.maxAgeSeconds}`,
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
    return true;
  };
}
