import type { JsonObject, JsonValue } from '../../contract/json.ts';
import type { OriginalRequest } from '../../contract/original-request.ts';
import type { Pep } from '../../contract/pep.ts';
import { originalHeaders } from '../original-headers.ts';
import { structToJson } from './claims.ts';
import { type OriginalAttributes, originalCheck, type PeerMessage } from './original-schema.ts';
import type { HttpRequestMessage, TextEntry } from './schema.ts';

/** Set by Envoy where it cut the body. */
const PARTIAL_BODY = 'x-envoy-auth-partial-body';
/** What protobuf's JSON leaves out; Envoy says -1 where it does not know. */
const NO_SIZE = '0';

/** Reads a message that `receiveCheck` has accepted once more, whole. */
export function readOriginal(bytes: Uint8Array, pep: Pep): OriginalRequest {
  const attributes = originalCheck.decode(bytes).attributes;
  const http = attributes?.request?.http ?? null;
  const time = attributes?.request?.time ?? null;
  const lines = http === null ? [] : linesOf(http);
  const body = http === null ? null : bodyOf(http);
  return {
    id: http?.id ?? '',
    method: http?.method ?? '',
    scheme: http?.scheme ?? '',
    host: http?.host ?? '',
    target: http?.path ?? '',
    protocol: http?.protocol ?? '',
    headers: originalHeaders(lines, pep, pep.trusts.has('client_certificate')),
    body,
    bodyCut: lines.some(([name, value]) => name === PARTIAL_BODY && value === 'true'),
    size: http === null || String(http.size) === NO_SIZE ? null : String(http.size),
    time: time === null ? null : timeText(Number(String(time.seconds)), time.nanos),
    attributes: attributes === null ? {} : otherAttributes(attributes, pep),
  };
}

function linesOf({ headers, headerMap }: HttpRequestMessage): [string, string][] {
  const lines = headers.map(({ key, value }): [string, string] => [key, value]);
  for (const { key, value, rawValue } of headerMap?.headers ?? []) {
    lines.push([key, rawValue.length === 0 ? value : Buffer.from(rawValue).toString('utf8')]);
  }
  return lines;
}

function bodyOf({ body, rawBody }: HttpRequestMessage): OriginalRequest['body'] {
  if (rawBody.length > 0) return { bytes: rawBody, packed: true };
  return body.length > 0 ? { bytes: body, packed: false } : null;
}

/** What the gateway is not trusted for is left out, as in every other input. */
function otherAttributes(attributes: OriginalAttributes, pep: Pep): JsonObject {
  const { source, destination, contextExtensions, metadataContext, tlsSession } = attributes;
  const others: Record<string, JsonValue> = {};
  if (source !== null) others['source'] = peerJson(source, pep.trusts.has('client_address'), pep.trusts.has('client_certificate'));
  if (destination !== null) others['destination'] = peerJson(destination, true, true);
  if (contextExtensions.length > 0) others['contextExtensions'] = textsJson(contextExtensions);
  if (metadataContext !== null) {
    const trusted = pep.trusts.has('claims') ? metadataContext.filterMetadata : [];
    const entries = trusted.map(({ key, value }): [string, JsonValue] => [key, value === null ? {} : structToJson(value)]);
    others['metadataContext'] = entries.length === 0 ? {} : { filterMetadata: Object.fromEntries(entries) };
  }
  if (tlsSession !== null && tlsSession.sni !== '') others['tlsSession'] = { sni: tlsSession.sni };
  return others;
}

function peerJson(peer: PeerMessage, address: boolean, identity: boolean): JsonObject {
  const said: Record<string, JsonValue> = {};
  if (address && peer.address !== null) {
    const { socketAddress: socket, pipe } = peer.address;
    const port = socket === null ? {} : socket.namedPort === '' ? { portValue: socket.portValue } : { namedPort: socket.namedPort };
    if (socket !== null) said['address'] = { socketAddress: { address: socket.address, ...port } };
    else if (pipe !== null) said['address'] = { pipe: { path: pipe.path } };
  }
  if (peer.service !== '') said['service'] = peer.service;
  if (peer.labels.length > 0) said['labels'] = textsJson(peer.labels);
  if (identity && peer.principal !== '') said['principal'] = peer.principal;
  if (identity && peer.certificate !== '') said['certificate'] = peer.certificate;
  return said;
}

function textsJson(entries: readonly TextEntry[]): JsonObject {
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

const LAST_SECOND = 253_402_300_799;

/** google.protobuf.Timestamp in the JSON form of protobuf: 0, 3, 6 or 9 digits of a second. */
function timeText(seconds: number, nanos: number): string | null {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > LAST_SECOND || nanos < 0 || nanos > 999_999_999) return null;
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return `${whole}Z`;
  return `${whole}.${String(nanos)
    .padStart(9, '0')
    .replace(/(?:000){1,2}$/, '')}Z`;
}
