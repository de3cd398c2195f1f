import type { SignatureOffer } from '../contract/request.ts';
import type { ClientBody } from './client-body.ts';
import { HEADER_VALUES_MAX, HEADERS_MAX, type ReceivedHeaders } from './client-headers.ts';
import { headerName } from './header-names.ts';

const NONE: readonly string[] = [];

/** The headers and the body of a client's request, as far as they are needed here. */
export type SignedMessage = { readonly headers: Iterable<readonly [string, string]>; readonly body: ClientBody };

/**
 * The signature of a request with what it may cover that is among no facts (RFC 9421 covers `authorization`); null where neither of its headers
 * came, and then nothing is looked at.
 */
export function receiveSignature({ headers, body }: SignedMessage, received: ReceivedHeaders): SignatureOffer | null {
  const input = received.headers.get('signature-input') ?? NONE;
  const { signature } = received;
  if (input.length === 0 && signature.length === 0) return null;
  return { input, signature, hidden: hiddenHeaders(headers), body: wholeBody(body) };
}

/** Of look-alikes, of the gateway's own headers and of a name with too many lines nothing is handed on: what covers them is refused. */
function hiddenHeaders(headers: Iterable<readonly [string, string]>): ReadonlyMap<string, readonly string[]> {
  const hidden = new Map<string, string[]>();
  const capped = new Set<string>();
  for (const [spelt, value] of headers) {
    const { name, hidden: isHidden, lookAlike, certificate } = headerName(spelt);
    if (!isHidden || lookAlike || certificate || name.startsWith(':')) continue;
    const values = hidden.get(name);
    if (values === undefined) {
      if (hidden.size < HEADERS_MAX) hidden.set(name, [value]);
    } else if (values.length < HEADER_VALUES_MAX) values.push(value);
    else capped.add(name);
  }
  for (const name of capped) hidden.delete(name);
  return hidden;
}

function wholeBody({ bytes, truncated, size }: ClientBody): Uint8Array | null {
  return bytes === null || truncated || (size !== null && size > bytes.length) ? null : bytes;
}
