import { z } from 'zod';
import { filePath, host, name, port, tokenSha256 } from './forms.ts';

const tls = z
  .strictObject({
    certFile: filePath.describe('PEM file with the certificate and its intermediates.'),
    keyFile: filePath.describe('PEM file with the private key.'),
    clientCaFile: filePath
      .nullable()
      .default(null)
      .describe(
        'PEM file with the authorities that sign the certificates of gateways; with it a client certificate is asked for and verified (mTLS).',
      ),
  })
  .nullable()
  .default(null)
  .describe('TLS of this listener; null means plain text.');

const publicHosts = z
  .array(
    z
      .string()
      .toLowerCase()
      .regex(/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/, 'must be a host name with or without a port'),
  )
  .default([]);

/** The listener of `POST /decide` and of everything else over HTTP. */
export const http = z
  .strictObject({
    host: host.default('127.0.0.1').describe('Address to listen on. Off loopback it needs authenticated gateways, or `allowAnonymous`.'),
    port: port.default(8080).describe('Port to listen on; 0 takes a free one.'),
    tls,
    publicHosts: publicHosts.describe(
      'Host names, beside the own address and localhost, under which `/decide` answers; any other Host is refused with 421.',
    ),
    bodyMaxBytes: z.int().min(1024).max(16_777_216).default(1_048_576).describe('Longest body of a request to this service.'),
    headerMaxBytes: z.int().min(1024).max(1_048_576).default(16_384).describe('Largest header block of a request to this service.'),
    inFlightMax: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1024)
      .describe('Requests that have arrived and are not answered; more are answered `overloaded`.'),
    bodyTimeoutMs: z.int().min(100).max(600_000).default(5000).describe('Time within which a body must have arrived.'),
    envoy: z
      .strictObject({
        errorsAs: z
          .literal([503, 403])
          .default(503)
          .describe(
            'How `/envoy/` tells that no decision could be made: 503, which Envoy counts as an error and passes under `failure_mode_allow`; 403 is a deny in any case.',
          ),
      })
      .prefault({})
      .describe("Envoy's ext_authz over HTTP, `/envoy/`."),
  })
  .prefault({})
  .describe('HTTP listener.');

/** The listener of Envoy's ext_authz and of grpc.health.v1. */
export const grpc = z
  .strictObject({
    host: host.default('127.0.0.1').describe('Address to listen on. Off loopback it needs authenticated gateways, or `allowAnonymous`.'),
    port: port.default(9191).describe('Port to listen on; 0 takes a free one.'),
    tls,
    messageMaxBytes: z
      .int()
      .min(4096)
      .max(67_108_864)
      .default(4_194_304)
      .describe('Longest message; a longer one is drained and answered with a denied 413.'),
    inFlightMax: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(4096)
      .describe('Checks that have arrived and are not answered; more are answered with a denied 503.'),
    errorResponse: z
      .boolean()
      .default(false)
      .describe(
        'Answer failures to decide by `error_response`, which old Envoys do not know and which passes the request under `failure_mode_allow`.',
      ),
    claimsMetadata: z
      .strictObject({
        namespace: z
          .string()
          .min(1)
          .default('envoy.filters.http.jwt_authn')
          .describe('Namespace in `metadata_context` that holds verified claims.'),
        key: z
          .string()
          .min(1)
          .nullable()
          .default(null)
          .describe('Key below the namespace; null takes the namespace itself where it holds the claims, or the only object in it.'),
      })
      .prefault({})
      .describe('Where claims that the gateway verified are found.'),
  })
  .prefault({})
  .describe('gRPC listener.');

/** The listener of operators: health, metrics, status. */
export const operations = z
  .strictObject({
    host: host
      .default('127.0.0.1')
      .describe('Address to listen on. `/livez`, `/readyz` and `/metrics` are open there, the rest needs an operator token.'),
    port: port.default(9090).describe('Port to listen on; 0 takes a free one.'),
    tokens: z
      .array(
        z.strictObject({
          name: name.describe('Name of the operator in logs.'),
          role: z
            .enum(['viewer', 'operator', 'admin'])
            .describe('`viewer` may read, `operator` may also change mutable data and roll back, `admin` may change everything.'),
          tokenSha256: tokenSha256.describe('SHA-256 of the token, as `countersign hash-token` prints it.'),
        }),
      )
      .default([])
      .describe('Who may read `/status` and use the admin API.'),
    publicHosts: publicHosts.describe(
      'Host names, beside the own address and localhost, under which the admin API answers; any other Host is refused with 421.',
    ),
  })
  .prefault({})
  .describe('Listener for operators.');
