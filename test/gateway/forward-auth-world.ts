import { createHash } from 'node:crypto';
import { type Authority, createAuthority, type MadeCertificate } from '../support/certificates.ts';
import type { Countersign } from '../support/countersign.ts';
import { startRecipe } from '../support/gateway-recipes.ts';
import type { Gateway, GatewayName, GatewayOptions } from '../support/gateways.ts';
import type { PolicyChanges } from '../support/policy-directory.ts';
import { createWorld, type World } from './world.ts';

export const TOKEN = 'gateway-token-of-the-tests';
export const SPIFFE_A = 'spiffe://td.test/agent/a';
export const SPIFFE_B = 'spiffe://td.test/agent/b';
export const FORMS = { nginx: 'pem_escaped', haproxy: 'der_base64', caddy: 'der_base64' } as const;

/** Envoy asks over gRPC, all others over HTTP. */
type Ports = { readonly httpPort: number; readonly grpcPort: number };

/** The parts of a world with gateways that ask by forward auth. */
export type ForwardWorld = World & {
  readonly authority: Authority;
  readonly ofA: MadeCertificate;
  readonly ofB: MadeCertificate;
  /** The settings of `forwardService`. */
  forwardConfig(): Record<string, unknown>;
  /** A service that knows each gateway by a token of its own. */
  forwardService(config?: Readonly<Record<string, unknown>>, changes?: PolicyChanges): Promise<Countersign>;
  gateway(name: GatewayName, service: Ports, changes?: GatewayOptions['changes'], more?: Partial<GatewayOptions>): Promise<Gateway>;
};

export const tokenOf = (name: string) => `${TOKEN}-${name}`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export async function createForwardWorld(): Promise<ForwardWorld> {
  const world = await createWorld();
  const authority = createAuthority();
  const gateways: Gateway[] = [];
  const identity = world.config()['identity'];
  const config = {
    decisions: { deadlineMs: 1500 },
    peps: [
      ...(['nginx', 'haproxy', 'caddy'] as const).map((name) => ({
        name,
        tokenSha256: sha256(tokenOf(name)),
        dialect: name,
        trusts: ['client_address', 'client_certificate'],
        certificateHeader: { name: 'x-client-cert', form: FORMS[name] },
      })),
      {
        name: 'envoy',
        tokenSha256: sha256(tokenOf('envoy')),
        trusts: ['client_address', 'client_certificate', 'fingerprint'],
        forwardedFor: { appendsPeer: true },
        fingerprintHeaders: { ja3: 'x-tls-ja3', ja4: 'x-tls-ja4' },
      },
      { name: 'app', tokenSha256: sha256(tokenOf('app')), trusts: ['client_address', 'client_certificate', 'forwarded'] },
    ],
    identity: {
      ...(typeof identity === 'object' ? identity : {}),
      clients: [
        { id: 'agent-a', spiffeIds: [SPIFFE_A] },
        { id: 'agent-b', spiffeIds: [SPIFFE_B] },
      ],
    },
  };
  return {
    ...world,
    authority,
    ofA: authority.client({ commonName: 'agent-a', uris: [SPIFFE_A] }),
    ofB: authority.client({ commonName: 'agent-b', uris: [SPIFFE_B] }),
    forwardConfig: () => world.config(config),
    forwardService: (more = {}, changes = {}) => world.service({ ...config, ...more }, changes),
    async gateway(name, service, changes = [], more = {}) {
      const gateway = await startRecipe(name, {
        authzPort: name === 'envoy' ? service.grpcPort : service.httpPort,
        upstreamPort: world.upstream.port,
        token: tokenOf(name),
        server: authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] }),
        clientCa: authority.pem,
        changes,
        ...more,
      });
      gateways.push(gateway);
      return gateway;
    },
    async stop() {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await world.stop();
    },
  };
}
