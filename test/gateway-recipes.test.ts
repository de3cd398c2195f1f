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
    expect(http.middlewares.countersign.forwardAuth.trustForwardHeader).toBe(false);
    expect(new URL(http.middlewares.countersign.forwardAuth.address).pathname).toBe('/forward-auth');
  });
});

describe('APISIX', () => {
  // of the plugin's schema
  const KEYS = [
    ...['uri', 'allow_degradation', 'status_on_error', 'ssl_verify', 'request_method', 'request_headers', 'extra_headers'],
    ...['upstream_headers', 'client_headers', 'consumer_header', 'timeout', 'keepalive', 'keepalive_timeout', 'keepalive_pool'],
  ];

  test('uses keys that the plugin has, and lets nobody pass while Countersign is away', () => {
    const options = JSON.parse(recipeBlocks('apisix', 'json')[0] ?? '').plugins['forward-auth'];
    expect(Object.keys(options).filter((key) => !KEYS.includes(key))).toEqual([]);
    expect([options.allow_degradation, options.status_on_error]).toEqual([false, 503]);
  });
});
