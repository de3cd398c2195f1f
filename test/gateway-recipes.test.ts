import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { recipeBlocks } from './support/gateways.ts';

/** Recipes that cannot be run here, and what every recipe has to name. */

const HEADERS = ['decision-id', 'subject', 'client-id', 'assurance', 'risk', 'actor', 'degraded', 'would', 'assertion'].map(
  (name) => `x-countersign-${name}`,
);
const PAGES = { nginx: 'nginx', caddy: 'caddyfile', traefik: 'yaml', apisix: 'json' } as const;

test.each(Object.entries(PAGES))('the recipe of %s names every header that the upstream may believe', (name, language) => {
  const recipe = (recipeBlocks(name, language)[0] ?? '').toLowerCase();
  expect(HEADERS.filter((header) => !recipe.includes(header))).toEqual([]);
});

test('these are the headers that the service sets', () => {
  const source = readFileSync(join(import.meta.dirname, '../src/decide/upstream.ts'), 'utf8');
  const listed = /const NAMES = \[([^\]]*)\]/.exec(source)?.[1] ?? '';
  expect([...listed.matchAll(/'([a-z-]+)'/g)].map((match) => `x-countersign-${match[1]}`)).toEqual(HEADERS);
});

describe('Traefik', () => {
  test('has every middleware that its router names, and never believes forwarded headers', () => {
    const { http } = parse(recipeBlocks('traefik', 'yaml')[0] ?? '');
    expect(Object.keys(http.middlewares)).toEqual(http.routers.api.middlewares);
    // with false the certificate is not in the question either
    expect(http.middlewares.countersign.forwardAuth).not.toHaveProperty('trustForwardHeader');
    expect(parse(recipeBlocks('traefik', 'yaml')[1] ?? '').entryPoints.websecure.http).toEqual({ aliasHeadersStrategy: 'delete' });
    expect(new URL(http.middlewares.countersign.forwardAuth.address).pathname).toBe('/forward-auth');
  });
});

describe('Envoy', () => {
  const chart = readFileSync(join(import.meta.dirname, '../helm/countersign/values-sidecar.yaml'), 'utf8');
  const listeners = [...recipeBlocks('envoy', 'yaml'), chart]
    .flatMap((text) => text.split(/(?=type\.googleapis\.com\/envoy\.extensions\.filters\.network\.http_connection_manager)/).slice(1))
    .map((text, index) => [index, text] as const);

  test.each(listeners)('listener %i closes heads that never end, and connections that say nothing', (_, listener) => {
    expect(listener).toContain('request_headers_timeout: 10s');
    expect(listener).toContain('stream_idle_timeout: 30s');
  });

  test('there are three', () => expect(listeners).toHaveLength(3));
});
