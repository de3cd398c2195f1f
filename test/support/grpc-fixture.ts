import { createHash } from 'node:crypto';
import type { Decision } from '../../src/contract/decision.ts';
import type { Listener } from '../../src/contract/lifecycle.ts';
import type { Trust } from '../../src/contract/pep.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { Awaitable, Logger } from '../../src/contract/stages.ts';
import { createGrpcServer, type GrpcServerOptions } from '../../src/endpoints/grpc-server.ts';
import { createPepAuth, type PepOptions } from '../../src/endpoints/pep-auth.ts';
import { type CheckParts, decodeCheck, encodeCheck, type ReadCheck } from './ext-authz-wire.ts';
import { connectGrpc, type GrpcAnswer, type GrpcClient } from './grpc-client.ts';

export const CHECK = '/envoy.service.auth.v3.Authorization/Check';
export const PEP_TOKEN = 'pep-token-of-the-tests';

/** An allow; `parts` makes anything else of it. */
export function decision(parts: Partial<Decision> = {}): Decision {
  return {
    id: '01900000-0000-7000-8000-000000000001',
    effect: 'allow',
    reasons: [{ code: 'access.scope_granted', effect: 'allow', title: 'The scope is granted', public: false, details: {} }],
    assurance: { level: 2, required: 2 },
    risk: { score: 20, factors: [] },
    stepUp: null,
    obligations: [],
    upstream: { headersToSet: { 'x-countersign-subject': 'agent-7' }, headersToRemove: ['x_countersign_subject'] },
    response: null,
    policy: { name: 'default', revision: 'r1' },
    error: null,
    explanation: null,
    ...parts,
  };
}

export function denial(status = 403, parts: Partial<Decision> = {}): Decision {
  return decision({
    effect: 'deny',
    reasons: [{ code: 'access.scope_missing', effect: 'deny', title: 'A scope is missing', public: true, details: {} }],
    response: { status, headers: { 'content-type': 'application/problem+json' }, body: { title: 'Denied', status } },
    ...parts,
  });
}

export function pep(parts: Partial<PepOptions> = {}): PepOptions {
  return {
    name: 'local',
    anonymous: true,
    tokenSha256: null,
    certificate: null,
    trusts: ['client_address'],
    policies: [],
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
    certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
    ...parts,
  };
}

/** A gateway known by `PEP_TOKEN`, and nobody else. */
export function tokenPep(trusts: readonly Trust[], policies: readonly string[] = []): PepOptions {
  const tokenSha256 = createHash('sha256').update(PEP_TOKEN).digest('hex');
  return pep({ name: 'edge', anonymous: false, tokenSha256, trusts, policies });
}

export type LogLine = { readonly level: keyof Logger; readonly event: string; readonly fields: Readonly<Record<string, unknown>> };

export type Fixture = {
  readonly listener: Listener;
  readonly url: string;
  readonly port: number;
  /** What the PDP was asked, in order. */
  readonly asked: DecisionRequest[];
  readonly log: LogLine[];
  readonly client: GrpcClient;
  /** One Check; fails where the RPC itself did not end well. */
  check(parts?: CheckParts, metadata?: Readonly<Record<string, string>>): Promise<ReadCheck>;
  /** A further connection. */
  connect(): Promise<GrpcClient>;
  close(): Promise<void>;
};

export type FixtureOptions = Partial<Omit<GrpcServerOptions, 'pdp' | 'pepAuth' | 'logger'>> & {
  readonly decide?: (request: DecisionRequest) => Awaitable<Decision>;
  readonly peps?: readonly PepOptions[];
  readonly policyNames?: readonly string[];
};

/** The real gRPC server on loopback, over a PDP of the test's own. */
export async function startGrpc({ decide = () => decision(), peps = [pep()], policyNames = ['default'], ...options }: FixtureOptions = {}) {
  const asked: DecisionRequest[] = [];
  const log: LogLine[] = [];
  const write =
    (level: keyof Logger) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      log.push({ level, event, fields });
    };
  let ids = 0;
  const listener = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    tls: null,
    messageMaxBytes: 4_194_304,
    deadlineMs: 150,
    errorResponse: false,
    claimsMetadata: { namespace: 'envoy.filters.http.jwt_authn', key: null },
    ready: () => true,
    clock: { now: () => 1_790_000_000_000, monotonic: () => performance.now() },
    newId: () => `id-${++ids}`,
    ...options,
    pdp: {
      decide: (request) => {
        asked.push(request);
        return decide(request);
      },
    },
    pepAuth: createPepAuth(peps, policyNames),
    logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
  });
  const { port } = await listener.start();
  const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const clients: GrpcClient[] = [];
  const connect = async (): Promise<GrpcClient> => {
    const client = await connectGrpc(url);
    clients.push(client);
    return client;
  };
  // A TLS listener wants certificates that only the test has.
  const client = options.tls ? null : await connect();
  return {
    listener,
    port,
    url,
    asked,
    log,
    get client(): GrpcClient {
      if (client === null) throw new Error('connect by hand to a TLS listener');
      return client;
    },
    connect,
    async check(parts = {}, metadata = {}) {
      return checkOf(await this.client.unary(CHECK, encodeCheck(parts), metadata));
    },
    async close() {
      for (const one of clients) one.session.destroy();
      await listener.stop(1_000);
    },
  } satisfies Fixture;
}

/** The CheckResponse of an RPC that ended well; throws for any other. */
export function checkOf(answer: GrpcAnswer): ReadCheck {
  const message = answer.messages[0];
  if (answer.grpcStatus !== 0 || answer.messages.length !== 1 || message === undefined) {
    throw new Error(`no good answer: ${JSON.stringify({ ...answer, messages: answer.messages.length })}`);
  }
  return decodeCheck(message);
}
