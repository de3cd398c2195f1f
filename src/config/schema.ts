import { z } from 'zod';
import { plainHeaderName } from '../formats/credential-headers.ts';
import { admin } from './admin.ts';
import { challenge, decisions, drain, input, log, upstream } from './answers.ts';
import { assertion, assertionProblems } from './assertion.ts';
import { authzen, publicUrl } from './authzen.ts';
import { network } from './enrichment.ts';
import { isLoopback, repeated, whenSound } from './forms.ts';
import { identity } from './identity.ts';
import { grpc, http, operations } from './listeners.ts';
import type { SchemaNode } from './outline.ts';
import { overload } from './overload.ts';
import { peps } from './peps.ts';
import { policies, policy, policyByHost, unknownPolicies } from './policy.ts';
import { registry } from './registry.ts';
import { behaviour, device } from './remembered.ts';
import { monitor } from './rollout.ts';
import { sources, unlistedClaims } from './sources.ts';
import { start } from './start.ts';
import { state } from './state.ts';
import { store } from './store.ts';
import { tracing } from './tracing.ts';

/** Rules that look at several sections; each runs wherever the sections that it reads are sound. */
export const configSchema = z
  .strictObject({
    publicUrl,
    http,
    grpc,
    operations,
    authzen,
    allowAnonymous: z
      .boolean()
      .default(false)
      .describe('Let listeners off loopback answer gateways that have not authenticated: anybody who reaches them may ask.'),
    peps,
    identity,
    registry,
    network,
    device,
    behaviour,
    sources,
    state,
    store,
    policy,
    policies,
    policyByHost,
    monitor,
    input,
    decisions,
    tracing,
    log,
    upstream,
    assertion,
    challenge,
    start,
    drain,
    overload,
    admin,
  })
  .superRefine(
    (config, context) => {
      const open = config.peps.length === 0 || config.peps.some((pep) => pep.anonymous);
      if (!open || config.allowAnonymous) return;
      for (const listener of ['http', 'grpc'] as const) {
        if (isLoopback(config[listener].host)) continue;
        const message = 'is not loopback: every gateway in `peps` must authenticate, or `allowAnonymous: true` must be written out';
        context.addIssue({ code: 'custom', path: [listener, 'host'], message });
      }
    },
    { when: whenSound('http.host', 'grpc.host', 'peps', 'allowAnonymous') },
  )
  .superRefine(
    (config, context) => {
      const listeners = ['http', 'grpc', 'operations'] as const;
      const addresses = listeners.map((key) => (config[key].port === 0 ? null : `${config[key].host} ${config[key].port}`));
      for (const index of repeated(addresses)) {
        context.addIssue({
          code: 'custom',
          path: [listeners[index] ?? '', 'port'],
          message: 'is taken by another listener of this configuration',
        });
      }
    },
    { when: whenSound('http.host', 'http.port', 'grpc.host', 'grpc.port', 'operations.host', 'operations.port') },
  )
  .superRefine(
    (config, context) => {
      const verifies = [config.http.tls, config.grpc.tls].some((tls) => tls !== null && tls.clientCaFile !== null);
      for (const [index, pep] of config.peps.entries()) {
        if (pep.certificate === null || verifies) continue;
        const message = 'can never be offered: neither http.tls nor grpc.tls has a clientCaFile';
        context.addIssue({ code: 'custom', path: ['peps', index, 'certificate'], message });
      }
    },
    { when: whenSound('http.tls', 'grpc.tls', 'peps') },
  )
  .superRefine(
    (config, context) => {
      const names = new Set(config.peps.map((pep) => pep.name));
      for (const [index, { introspection }] of config.identity.issuers.entries()) {
        for (const [at, pep] of introspection?.opaqueTokens.peps.entries() ?? []) {
          if (names.has(pep)) continue;
          const path = ['identity', 'issuers', index, 'introspection', 'opaqueTokens', 'peps', at];
          context.addIssue({ code: 'custom', path, message: 'is no gateway of this configuration' });
        }
      }
    },
    { when: whenSound('peps', 'identity.issuers') },
  )
  .superRefine(
    (config, context) => {
      for (const [index, pep] of config.peps.entries()) {
        for (const [at, wanted] of pep.policies.entries()) {
          if (wanted === 'default' || Object.hasOwn(config.policies, wanted)) continue;
          context.addIssue({ code: 'custom', path: ['peps', index, 'policies', at], message: 'is no policy of this configuration' });
        }
      }
    },
    { when: whenSound('peps', 'policies') },
  )
  .superRefine(
    (config, context) => {
      for (const host of unknownPolicies(config.policyByHost, config.policies))
        context.addIssue({ code: 'custom', path: ['policyByHost', host], message: 'is no policy of this configuration' });
    },
    { when: whenSound('policyByHost', 'policies') },
  )
  .superRefine(
    (config, context) => {
      const vouching = new Set(config.peps.flatMap(({ certificateHeader: one }) => (one === null ? [] : [one.name, one.chainName])));
      for (const [index, name] of config.input.headers.entries()) {
        if (!vouching.has(plainHeaderName(name))) continue;
        const message = "is a gateway's header with client certificates, which policies never see";
        context.addIssue({ code: 'custom', path: ['input', 'headers', index], message });
      }
    },
    { when: whenSound('peps', 'input.headers') },
  )
  .superRefine(
    ({ sources: asked, input: { claims } }, context) => {
      for (const [path, message] of unlistedClaims(asked, claims))
        context.addIssue({ code: 'custom', path: ['sources', ...path], message });
    },
    { when: whenSound('sources', 'input.claims') },
  )
  .superRefine(
    (config, context) => {
      for (const [path, message] of assertionProblems(config)) context.addIssue({ code: 'custom', path: [path], message });
    },
    { when: whenSound('assertion', 'publicUrl', 'allowAnonymous') },
  )
  .superRefine(
    (config, context) => {
      const gateways = config.peps.flatMap((pep) => [pep.tokenSha256, pep.secondTokenSha256]);
      const operators = config.operations.tokens;
      for (const index of repeated(operators.map((one) => one.name))) {
        context.addIssue({ code: 'custom', path: ['operations', 'tokens', index, 'name'], message: 'is the name of another operator too' });
      }
      for (const at of repeated([...gateways, ...operators.map((one) => one.tokenSha256)])) {
        const index = at - gateways.length;
        if (index < 0) continue;
        context.addIssue({ code: 'custom', path: ['operations', 'tokens', index, 'tokenSha256'], message: 'is used twice' });
      }
    },
    { when: whenSound('peps', 'operations.tokens') },
  );

/** The whole configuration, every key present; relative paths are made absolute by `load.ts`. */
export type Config = z.output<typeof configSchema>;

/**
 * JSON Schema (draft 2020-12) of a configuration file; `x-path` and `x-secret` are marks of ours. The round trip makes it plain data:
 * what zod returns holds its own members beside it.
 */
export const CONFIG_JSON_SCHEMA: SchemaNode = JSON.parse(JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' })));
