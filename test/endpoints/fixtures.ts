import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { Decision } from '../../src/contract/decision.ts';
import type { Listener } from '../../src/contract/lifecycle.ts';
import type { Trust } from '../../src/contract/pep.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { Awaitable, Logger } from '../../src/contract/stages.ts';
import { createHttpServer, type HttpServerOptions } from '../../src/endpoints/http-server.ts';
import { createPepAuth, type PepOptions } from '../../src/endpoints/pep-auth.ts';

export const ALLOW: Decision = {
  id: 'id-1',
  effect: 'allow',
  reasons: [{ code: 'access.scope_granted', effect: 'allow', title: 'The scope is granted', public: false, details: {} }],
  assurance: { level: 2, required: 1 },
  risk: { score: 0, factors: [] },
  stepUp: null,
  obligations: [],
  upstream: { headersToSet: { 'x-countersign-decision-id': 'id-1' }, headersToRemove: ['x_countersign_decision_id'] },
  response: null,
  policy: { name: 'default', revision: 'r1' },
  error: null,
  explanation: null,
};

export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export const pepOptions = (name: string, trusts: readonly Trust[], more: Partial<PepOptions> = {}): PepOptions => ({
  name,
  anonymous: false,
  tokenSha256: null,
  certificate: null,
  trusts,
  policies: [],
  certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
  forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
  ...more,
});

/** Log lines by event, to look at what was not swallowed. */
export function createMemoryLogger(): Logger & { readonly lines: { level: string; event: string; fields: unknown }[] } {
  const lines: { level: string; event: string; fields: unknown }[] = [];
  const at = (level: string) => (event: string, fields?: unknown) => {
    lines.push({ level, event, fields });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export type Served = {
  readonly url: string;
  readonly port: number;
  readonly listener: Listener;
  readonly asked: DecisionRequest[];
  readonly logger: ReturnType<typeof createMemoryLogger>;
  /** Codes that `onRefused` was told. */
  readonly refused: string[];
};

/** The real listener on loopback in front of a PDP that answers what it is told to. */
export async function serve(
  decide: (request: DecisionRequest) => Awaitable<Decision> = () => ALLOW,
  more: Partial<HttpServerOptions> = {},
): Promise<Served> {
  const asked: DecisionRequest[] = [];
  const refused: string[] = [];
  const logger = createMemoryLogger();
  let ids = 0;
  const peps = [
    pepOptions('local', ['client_address'], { anonymous: true }),
    pepOptions('edge', ['client_address', 'client_certificate', 'claims', 'subject', 'fingerprint', 'rate', 'explain'], {
      tokenSha256: sha256('edge-token'),
      certificate: { uri: 'spiffe://td.test/edge' },
      policies: ['default', 'payments'],
    }),
    pepOptions('bare', [], { tokenSha256: sha256('bare-token') }),
  ];
  const listener = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    tls: null,
    publicHosts: ['pdp.example'],
    headerMaxBytes: 16_384,
    inFlightMax: 64,
    bodyMaxBytes: 1_048_576,
    bodyTimeoutMs: 5000,
    deadlineMs: 150,
    pdp: {
      decide(request) {
        asked.push(request);
        return decide(request);
      },
    },
    pepAuth: createPepAuth(peps, ['default', 'payments']),
    clock: { now: () => 1_700_000_000_000, monotonic: () => 1000 },
    newId: () => `id-${++ids}`,
    logger,
    onRefused: (code) => refused.push(code),
    ...more,
  });
  const { port } = await listener.start();
  return { url: `http://127.0.0.1:${port}`, port, listener, asked, logger, refused };
}

export const QUESTION = { request: { method: 'GET', host: 'api.example.com', path: '/a' } };

/** POSTs a question as JSON. */
export function ask(served: Served, body: unknown, headers: Record<string, string> = {}, target = '/decide'): Promise<Response> {
  return fetch(`${served.url}${target}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
}

/** Sends bytes as they are and gives all that came back until the server closed, or `quietMs` of silence. */
export function sendRaw(port: number, bytes: string | Uint8Array, quietMs = 300): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(quietMs, done);
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', done);
    socket.on('close', done);
  });
}
