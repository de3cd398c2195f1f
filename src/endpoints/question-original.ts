import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { OriginalRequest } from '../contract/original-request.ts';
import type { Pep } from '../contract/pep.ts';
import { originalHeaders } from './original-headers.ts';
import { receiveQuestionHeaders } from './question-headers.ts';
import type { EvidenceBody } from './question-schema.ts';

/** A question in JSON in the words of ext_authz; its body was accepted before. `context` is null where it has none. */
export function readOriginal(
  body: EvidenceBody,
  request: NonNullable<EvidenceBody['request']>,
  context: JsonObject | null,
  pep: Pep,
): OriginalRequest {
  const headers = receiveQuestionHeaders(request.headers ?? {});
  const attributes: Record<string, JsonValue> = {};
  const { ip, port } = body.source ?? {};
  const source: Record<string, JsonValue> = {};
  if (ip !== undefined && pep.trusts.has('client_address')) {
    source['address'] = { socketAddress: { address: ip, ...(port === undefined ? {} : { portValue: port }) } };
  }
  const uri = body.certificate?.uris?.[0];
  if (uri !== undefined && pep.trusts.has('client_certificate')) source['principal'] = uri;
  const pem = body.certificate?.pem;
  if (pem !== undefined && pep.trusts.has('client_certificate')) source['certificate'] = encodeURIComponent(pem);
  if (body.source !== undefined || Object.keys(source).length > 0) attributes['source'] = source;
  if (context !== null) attributes['contextExtensions'] = context;
  if (body.tls?.sni !== undefined) attributes['tlsSession'] = { sni: body.tls.sni };
  const vouches = pep.trusts.has('client_certificate') && pep.trusts.has('forwarded');
  return {
    id: request.id ?? '',
    method: request.method,
    scheme: request.scheme ?? '',
    host: request.host ?? '',
    target: request.path,
    protocol: '',
    headers: 'invalid' in headers ? [] : originalHeaders(headers, pep, vouches),
    body: request.body === undefined ? null : { bytes: Buffer.from(request.body), packed: false },
    bodyCut: request.body_truncated ?? false,
    size: null,
    time: null,
    attributes,
  };
}
