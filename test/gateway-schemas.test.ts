import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { recipeBlocks } from './support/gateways.ts';

/**
 * The recipes of gateways that cannot be run here against what their own schemas allow. The schemas are small: a branch that no page uses is
 * `false`, so that a page which comes to use it fails here until its schema is there too.
 */

type Schemas = { readonly source: string; readonly schemas: Readonly<Record<string, Parameters<typeof z.fromJSONSchema>[0]>> };

function schemaOf(file: string, name: string): z.ZodType {
  const read: Schemas = JSON.parse(readFileSync(join(import.meta.dirname, `fixtures/gateway-schemas/${file}.json`), 'utf8'));
  const schema = read.schemas[name];
  if (schema === undefined) throw new Error(`${file}.json has no schema for ${name}`);
  return z.fromJSONSchema(schema);
}

/** What is wrong with it; empty where nothing is. */
function faults(schema: z.ZodType, value: unknown): string[] {
  const { error } = schema.safeParse(value);
  return error === undefined ? [] : error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** Copies with one key misspelt each, at every depth. */
function misspelt(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one, at) => misspelt(one).map((copy) => value.with(at, copy)));
  if (typeof value !== 'object' || value === null) return [];
  const entries: [string, unknown][] = Object.entries(value);
  return entries.flatMap(([key, one], at) => [
    Object.fromEntries(entries.with(at, [`${key}Typo`, one])),
    ...misspelt(one).map((copy) => Object.fromEntries(entries.with(at, [key, copy]))),
  ]);
}

const yamlOf = (page: string): unknown[] => recipeBlocks(page, 'yaml').map((text) => parse(text));
const isKubernetes = z.looseObject({ apiVersion: z.string(), kind: z.string(), spec: z.unknown() });

const objects = ['istio', 'envoy-gateway'].flatMap((page) =>
  yamlOf(page).flatMap((value) => {
    const read = isKubernetes.safeParse(value);
    return read.success ? [{ page, name: `${read.data.apiVersion} ${read.data.kind}`, value: read.data }] : [];
  }),
);

describe('objects of Kubernetes', () => {
  test('are on the pages', () => {
    expect(objects.map(({ page, name }) => `${page}: ${name}`)).toEqual(
      expect.arrayContaining([
        'istio: security.istio.io/v1 AuthorizationPolicy',
        'envoy-gateway: gateway.envoyproxy.io/v1alpha1 SecurityPolicy',
      ]),
    );
  });

  test.each(objects)('$page: $name is as its CRD says, and a misspelt key is none', ({ name, value }) => {
    const schema = schemaOf('kubernetes', name);
    expect(faults(schema, value)).toEqual([]);
    const labels = /matchLabels|workloadSelector/;
    const wrong = misspelt(value.spec).filter((spec) => !labels.test(JSON.stringify(spec).match(/.{0,60}Typo/)?.[0] ?? ''));
    for (const spec of wrong) expect(faults(schema, { ...value, spec }), JSON.stringify(spec)).not.toEqual([]);
  });
});

test('Istio: every request is asked about, and nobody passes while Countersign is away', () => {
  const [mesh] = yamlOf('istio');
  expect(faults(schemaOf('istio-mesh', 'meshConfig'), mesh)).toEqual([]);
  const policy = objects.find(({ name, page }) => page === 'istio' && name.endsWith('AuthorizationPolicy'))?.value.spec;
  expect(policy).toMatchObject({ action: 'CUSTOM', provider: { name: 'countersign' }, rules: [{}] });
  expect(mesh).toMatchObject({
    extensionProviders: [{ name: 'countersign', envoyExtAuthzGrpc: { port: 9191, failOpen: false, statusOnError: '503' } }],
  });
});

test('Envoy Gateway: nobody passes while Countersign is away', () => {
  const policy = objects.find(({ name }) => name.endsWith('SecurityPolicy'))?.value.spec;
  expect(policy).toMatchObject({ extAuth: { grpc: { backendRefs: [{ port: 9191 }] }, failOpen: false, statusOnError: 503 } });
});

test('agentgateway: nobody passes while Countersign is away, no answer is used twice, and no body is cut unseen', () => {
  const [config] = yamlOf('agentgateway');
  expect(faults(schemaOf('agentgateway', 'config'), config)).toEqual([]);
  const extAuthz = JSON.stringify(config);
  expect(extAuthz).toContain('"failureMode":{"denyWithStatus":503}');
  expect(extAuthz).toContain('"allowPartialMessage":false');
  expect(extAuthz).not.toContain('"cache"');
  const schema = schemaOf('agentgateway', 'config');
  for (const copy of misspelt(config)) expect(faults(schema, copy), JSON.stringify(copy)).not.toEqual([]);
});

test('Traefik: every middleware is as its CRD says', () => {
  const [dynamic] = yamlOf('traefik');
  const { http } = z.object({ http: z.object({ middlewares: z.record(z.string(), z.unknown()) }) }).parse(dynamic);
  const schema = schemaOf('traefik', 'middleware');
  expect(Object.keys(http.middlewares).length).toBeGreaterThan(2);
  for (const middleware of Object.values(http.middlewares)) expect(faults(schema, middleware)).toEqual([]);
  for (const copy of misspelt(http.middlewares['countersign'])) expect(faults(schema, copy), JSON.stringify(copy)).not.toEqual([]);
});

test('APISIX: the plugins are as their schemas say, the function that is shown is the one that is set, and "_" is off', () => {
  const { plugins } = z.object({ plugins: z.looseObject({}) }).parse(JSON.parse(recipeBlocks('apisix', 'json')[0] ?? ''));
  const schema = schemaOf('apisix', 'plugins');
  expect(faults(schema, plugins)).toEqual([]);
  for (const copy of misspelt(plugins).filter((one) => !/"X-Countersign-Pep-TokenTypo"/.test(JSON.stringify(one)))) {
    expect(faults(schema, copy), JSON.stringify(copy)).not.toEqual([]);
  }
  const shown = (recipeBlocks('apisix', 'lua')[0] ?? '').split(/\s+/).join(' ').trim();
  expect(plugins).toMatchObject({ 'serverless-pre-function': { phase: 'rewrite', functions: [shown] } });
  expect(plugins).toMatchObject({ 'forward-auth': { allow_degradation: false, status_on_error: 503 } });
  expect(yamlOf('apisix')[0]).toMatchObject({ nginx_config: { http: { underscores_in_headers: 'off' } } });
});
