import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderLines, OutcomeResponse, OutcomeUpstream } from './outcome.ts';

/* What an outcome does to a request that goes on, and to one that does not. */

/**
 * Changes the headers of the request as a gateway would before the application sees it: what Countersign sets is set, and no copy of the client's is left
 * in any of the three places where Node.js has headers.
 */
export function applyUpstream(request: IncomingMessage, response: ServerResponse, upstream: OutcomeUpstream): void {
  const set = Object.entries(upstream.headersToSet);
  const gone = new Set([...set.map(([name]) => name), ...upstream.headersToRemove.map((name) => name.toLowerCase())]);
  const raw: string[] = [];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? '';
    if (!gone.has(name.toLowerCase())) raw.push(name, request.rawHeaders[at + 1] ?? '');
  }
  for (const [name, lines] of set) for (const line of [lines].flat()) raw.push(name, line);
  // both are made of the raw ones, once
  const { headers, headersDistinct } = request;
  request.rawHeaders = raw;
  for (const name of gone) {
    delete headers[name];
    delete headersDistinct[name];
  }
  for (const [name, lines] of set) {
    const texts = [lines].flat();
    headers[name] = texts.join(', ');
    headersDistinct[name] = texts;
  }
  for (const [name, lines] of Object.entries(upstream.responseHeadersToSet)) response.setHeader(name, writable(lines));
  for (const [name, lines] of Object.entries(upstream.responseHeadersToAdd)) response.appendHeader(name, writable(lines));
}

/** Sends the caller what Countersign says it is to get, with the challenge and all. */
export function sendRefusal(response: ServerResponse, { status, headers, body }: OutcomeResponse): void {
  if (response.headersSent || response.destroyed) return;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.statusCode = status;
  for (const [name, lines] of Object.entries(headers)) response.setHeader(name, writable(lines));
  if (typeof body !== 'string' && !response.hasHeader('content-type')) response.setHeader('content-type', 'application/problem+json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

function writable(lines: HeaderLines): string | string[] {
  return typeof lines === 'string' ? lines : [...lines];
}
