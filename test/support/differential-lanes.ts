import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { CERTIFICATE_FORMS, CertificateHeader, Dialect } from '../../src/contract/pep.ts';
import { DIALECT_HEADERS } from '../../src/endpoints/forward-auth/schema.ts';
import { encodeCheck, headerOf } from './ext-authz-wire.ts';
import type { GrpcClient } from './grpc-client.ts';
import { CHECK, checkOf } from './grpc-fixture.ts';

/* How each protocol says one client's request, as its gateway does by our recipe, and what it answers. */

/** A client's request at a gateway. */
export type ClientRequest = {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** Path and query as they came. */
  readonly target: string;
  /** Lower-case names and values in order; `host` is not among them. */
  readonly headers: readonly (readonly [string, string])[];
  /** The gateway's peer. */
  readonly peer: string;
  /** Of the peer's TLS connection. */
  readonly certificate: { readonly pem: string; readonly der: Buffer } | null;
};

/** What an answer says on the wire; `undefined` where the protocol has no word for it. */
export type Told = {
  readonly id: string;
  readonly effect: 'allow' | 'deny' | 'step_up' | 'refused';
  readonly codes?: readonly string[] | undefined;
  /** Null on an allow. */
  readonly status?: number | null | undefined;
  readonly challenge?: string | null | undefined;
  readonly retryAfter?: string | null | undefined;
};

export type Wires = { readonly port: number; readonly agent: Agent; readonly grpc: GrpcClient };
export type Lane = {
  /** Its gateway's name, which is its token too. */
  readonly name: string;
  readonly dialect: Dialect | null;
  readonly appendsPeer: boolean;
  readonly certificateHeader: CertificateHeader | null;
  ask(wires: Wires, request: ClientRequest): Promise<Told>;
};

const PEP_TOKEN = 'x-countersign-pep-token';

export const LANES: readonly Lane[] = [
  lane('decide', {}, async ({ port, agent }, request) => {
    const body = { request: requestJson(request), source: { ip: request.peer }, ...certificateJson(request) };
    const answer = await post(port, agent, '/decide', body, 'decide');
    const { decision, decision_id, reasons, response = null } = JSON.parse(answer.body);
    const codes = reasons.map(({ code }: { code: string }) => code);
    if (response === null) return { id: decision_id, effect: decision, codes, status: null, challenge: null, retryAfter: null };
    return { id: decision_id, effect: decision, codes, status: response.status, ...headersOf(response.headers) };
  }),
  lane('authzen', {}, async ({ port, agent }, request) => {
    const body = {
      ...{ subject: { type: 'identity', id: 'somebody' }, action: { name: request.method }, resource: { type: 'route', id: 'unknown' } },
      context: { request: requestJson(request), source: { ip: request.peer }, ...certificateJson(request) },
    };
    const answer = await post(port, agent, '/access/v1/evaluation', body, 'authzen');
    const { decision, context } = JSON.parse(answer.body);
    const effect = decision === true ? 'allow' : context.step_up === undefined ? 'deny' : 'step_up';
    return { id: context.decision_id, effect, codes: context.reasons?.map(({ code }: { code: string }) => code) };
  }),
  grpc('grpc_headers', ({ headers, ...rest }) => ({ ...rest, headers: joined(headers) })),
  grpc('grpc_raw_headers', ({ headers, ...rest }) => ({ ...rest, headerMap: headers.map(([name, value]) => [name, Buffer.from(value)]) })),
  lane('envoy_http', { appendsPeer: true, form: 'pem_escaped' }, async ({ port, agent }, request) => {
    const { method, scheme, host, target, peer, certificate } = request;
    const kept = request.headers.filter(([name]) => !/^x-(?:original|countersign)-|^x-client-cert$/.test(name));
    const lines = [
      ...['host', host, 'content-length', '0', ...withPeer(kept, peer).flat(), 'x-forwarded-proto', scheme],
      ...[PEP_TOKEN, 'envoy_http', 'x-original-proto', scheme, 'x-original-remote-addr', peer],
      ...(certificate === null ? [] : ['x-client-cert', encodeURIComponent(certificate.pem)]),
      ...['x-envoy-internal', 'true', 'x-envoy-expected-rq-timeout-ms', '2000'],
    ];
    return answered(await exchange(port, agent, { method, path: `/envoy${target}`, headers: lines }));
  }),
  forwardAuth('nginx', 'pem_escaped'),
  forwardAuth('haproxy', 'der_base64'),
  forwardAuth('caddy', 'der_base64'),
  forwardAuth('traefik', 'der_base64'),
  forwardAuth('apisix', 'rfc9440'),
];

type Form = (typeof CERTIFICATE_FORMS)[number];

function lane(
  name: string,
  {
    dialect = null,
    appendsPeer = false,
    form,
  }: { readonly dialect?: Dialect | null; readonly appendsPeer?: boolean; readonly form?: Form },
  ask: Lane['ask'],
): Lane {
  const certificateHeader = form === undefined ? null : { name: 'x-client-cert', form, chainName: null };
  return { name, dialect, appendsPeer, certificateHeader, ask };
}

function grpc(
  name: string,
  say: (parts: Omit<ClientRequest, 'certificate' | 'peer' | 'target'>) => Readonly<Record<string, unknown>>,
): Lane {
  return lane(name, { appendsPeer: true }, async (wires, { method, scheme, host, target, headers, peer, certificate }) => {
    const pseudo = { ':method': method, ':path': target, ':authority': host, ':scheme': scheme };
    const all = [...Object.entries(pseudo), ...withPeer(headers, peer)];
    const http = { ...say({ method, scheme, host, headers: all }), path: target, size: -1 };
    const source = certificate === null ? {} : { certificate: encodeURIComponent(certificate.pem), principal: 'spiffe://td.test/x' };
    const { ok, denied, metadata } = checkOf(
      await wires.grpc.unary(CHECK, encodeCheck({ http, sourceIp: peer, ...source }), { [PEP_TOKEN]: name }),
    );
    const { decision_id: id, decision: effect, reasons: codes } = Object(metadata);
    // what passes is what Envoy would pass
    if (ok !== null) return { id, effect: 'allow', codes, status: null, challenge: null, retryAfter: null };
    const [challenge, retryAfter] = ['www-authenticate', 'retry-after'].map((one) => headerOf(denied?.headers, one));
    return {
      id,
      effect: effect === 'allow' ? 'refused' : effect,
      codes,
      status: denied?.status ?? 0,
      challenge: challenge ?? null,
      retryAfter: retryAfter ?? null,
    };
  });
}

function forwardAuth(dialect: Dialect, form: Form): Lane {
  const names = DIALECT_HEADERS[dialect];
  const original = names === DIALECT_HEADERS.nginx;
  return lane(dialect, { dialect, form }, async ({ port, agent }, request) => {
    const { method, scheme, host, target, peer, certificate } = request;
    const own: ReadonlySet<string> = new Set([names.method, names.target, names.host, names.scheme, 'x-client-cert', PEP_TOKEN]);
    const kept = request.headers.filter(([name]) => !own.has(name) && !(original && name === names.address));
    const lines = [
      ...['host', 'localhost', ...(original ? kept : withPeer(kept, peer)).flat(), PEP_TOKEN, dialect],
      ...[names.method, method, names.target, target, names.host, host, names.scheme, scheme, ...(original ? [names.address, peer] : [])],
      ...['x-client-cert', certificate === null ? '' : certificateText(certificate, form)],
    ];
    return answered(await exchange(port, agent, { method: 'GET', path: '/forward-auth', headers: lines }));
  });
}

function certificateText({ pem, der }: NonNullable<ClientRequest['certificate']>, form: Form): string {
  if (form === 'pem_escaped') return encodeURIComponent(pem);
  return form === 'rfc9440' ? `:${der.toString('base64')}:` : der.toString('base64');
}

/** As a gateway does that appends its peer to the list of addresses. */
function withPeer(headers: ClientRequest['headers'], peer: string): (readonly [string, string])[] {
  const chain = headers.filter(([name]) => name === 'x-forwarded-for').map(([, value]) => value);
  return [...headers.filter(([name]) => name !== 'x-forwarded-for'), ['x-forwarded-for', [...chain, peer].join(', ')]];
}

/** As Envoy does without `encode_raw_headers`. */
function joined(headers: ClientRequest['headers']): (readonly [string, string])[] {
  const values = new Map<string, string>();
  for (const [name, value] of headers) values.set(name, values.has(name) ? `${values.get(name)},${value}` : value);
  return [...values];
}

function requestJson({ method, scheme, host, target, headers }: ClientRequest): object {
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of headers) fields[name] = fields[name] === undefined ? value : [fields[name], value].flat();
  return { method, scheme, host, path: target, headers: fields };
}

const certificateJson = ({ certificate }: ClientRequest): object => (certificate === null ? {} : { certificate: { pem: certificate.pem } });

type Answer = { readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: string };

/** By the status and the headers of a gateway's answer. */
function answered({ status, headers, body }: Answer): Told {
  const id = `${headers['x-countersign-decision-id']}`;
  if (status === 200) return { id, effect: 'allow', status: null, challenge: null, retryAfter: null };
  const said = headers['x-countersign-decision'];
  const effect = said === 'step_up' || said === 'deny' ? said : 'refused';
  const meant = Number(headers['x-countersign-status'] ?? status);
  if (headers['x-countersign-error'] !== undefined)
    throw new Error(`${status} ${headers['x-countersign-error']} ${headers['x-countersign-field']} ${body}`);
  return { id, effect, status: meant, ...headersOf(headers) };
}

function headersOf(headers: IncomingMessage['headers']): Pick<Told, 'challenge' | 'retryAfter'> {
  return { challenge: headers['www-authenticate'] ?? null, retryAfter: headers['retry-after'] ?? null };
}

async function post(port: number, agent: Agent, path: string, body: unknown, name: string): Promise<Answer> {
  const headers = ['host', 'localhost', 'content-type', 'application/json', PEP_TOKEN, name];
  const answer = await exchange(port, agent, { method: 'POST', path, headers }, JSON.stringify(body));
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
  return answer;
}

function exchange(
  port: number,
  agent: Agent,
  { method, path, headers }: { readonly method: string; readonly path: string; readonly headers: readonly string[] },
  body = '',
): Promise<Answer> {
  const lines = body === '' ? headers : [...headers, 'content-length', `${Buffer.byteLength(body)}`];
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers: lines, agent, setHost: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
