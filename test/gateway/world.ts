import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import { type EchoUpstream, startEchoUpstream } from '../support/echo-upstream.ts';
import { type Envoy, startEnvoy } from '../support/envoy.ts';
import type { EnvoyOptions } from '../support/envoy-config.ts';
import { type OidcServer, startOidc } from '../support/oidc.ts';
import { copyPolicies, type PolicyChanges } from '../support/policy-directory.ts';

export const AUDIENCE = 'api://orders';
export const SCOPES = ['orders:read', 'orders:write', 'payments:read', 'payments:write', 'reports:read', 'admin'] as const;

/** A closed loop of real parts: authorization server, services, Envoys, upstream, each started by a test and all stopped at its end. */
export interface World {
  readonly oidc: OidcServer;
  readonly upstream: EchoUpstream;
  readonly directory: string;
  /** `Bearer …` of a fresh token from the authorization server. */
  bearer(clientId: string, ...scopes: (typeof SCOPES)[number][]): Promise<string>;
  /** A service with the base pack; `changes` is its own data, `config` its own settings. */
  service(config?: Readonly<Record<string, unknown>>, changes?: PolicyChanges): Promise<Countersign>;
  /** The settings of `service`, for a test that starts the process itself. */
  config(overrides?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  envoy(services: readonly Countersign[], options?: Partial<EnvoyOptions>): Promise<Envoy>;
  stop(): Promise<void>;
}

/** Starts the authorization server and the upstream. Clients `agent-a` and `agent-b` may ask for every scope; so may `agent-m`, whose tokens are bound to a certificate. */
export async function createWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-world-'));
  const oidc = await startOidc({
    audience: AUDIENCE,
    clients: [...['agent-a', 'agent-b'].map((id) => ({ id, scopes: SCOPES })), { id: 'agent-m', scopes: SCOPES, certificateBound: true }],
  });
  const upstream = await startEchoUpstream();
  const running: { stop(): Promise<unknown> }[] = [];
  let copies = 0;
  const config: World['config'] = (overrides = {}) => ({
    peps: [
      {
        name: 'edge',
        anonymous: true,
        trusts: ['client_address', 'forwarded', 'client_certificate', 'explain'],
        forwardedFor: { appendsPeer: true },
      },
    ],
    identity: {
      issuers: [{ issuer: oidc.issuer, audiences: [AUDIENCE], jwksUrl: oidc.jwksUrl, algorithms: ['RS256'], types: ['at+jwt'] }],
    },
    policy: { bundle: 'policies' },
    ...overrides,
  });
  return {
    oidc,
    upstream,
    directory,
    bearer: async (clientId, ...scopes) => `Bearer ${await oidc.token(clientId, scopes)}`,
    config,
    async service(overrides = {}, changes = {}) {
      copies += 1;
      const bundle = join(directory, `policies-${copies}`);
      copyPolicies(bundle, changes);
      const service = await startCountersign({ config: config({ policy: { bundle }, ...overrides }) });
      running.push(service);
      return service;
    },
    async envoy(services, options = {}) {
      const envoy = await startEnvoy({ upstreamPort: upstream.port, authzPorts: services.map((service) => service.grpcPort), ...options });
      running.push(envoy);
      return envoy;
    },
    async stop() {
      await Promise.all(running.map((part) => part.stop()));
      await upstream.stop();
      await oidc.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A JSON object of an answer's body. */
export function jsonObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`no JSON object: ${text.slice(0, 200)}`);
  return { ...value };
}

/** The lines of the decision log on stdout, oldest first. */
export function decisionLines(service: Countersign): Record<string, unknown>[] {
  return service.child
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('"decision_id"'))
    .map(jsonObject);
}

/** Values of a header in a flat list of names and values, whatever the spelling: `_` counts as `-`. */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase().replaceAll('_', '-') === name);
}
