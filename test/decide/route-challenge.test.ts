import { describe, expect, it } from 'vitest';
import type { TokenValue } from '../../src/contract/signals.ts';
import { readClaims } from '../../src/identify/token-claims.ts';
import { answer, type Given } from './answer.ts';

/* [RFC 9728, MCP authorization] A route that describes its own resource says so in its challenges. */

const OWN = 'https://mcp.example/.well-known/oauth-protected-resource/tools';
const route: Given['route'] = { status: 'matched', resourceMetadataUrl: OWN, scopes: ['tools:read', 'tools:call'] };
const challengeOf = (verdicts: readonly [string, unknown][], given: Given = {}) =>
  answer(verdicts, { route, ...given }).response?.headers['www-authenticate'];
const GOOD_TOKEN = goodToken();
const refused: [string, unknown][] = [['a.unauthenticated', 'deny']];
const step = (verdict: object): [string, unknown][] => [
  ['b.granted', 'allow'],
  ['a.shown', { effect: 'step_up', ...verdict }],
];

describe('the challenge of a route with its own resource_metadata', () => {
  it('without a token names it and all scopes of the route', () => {
    expect(challengeOf(refused)).toBe(`Bearer realm="api", scope="tools:read tools:call", resource_metadata="${OWN}"`);
  });

  it('for a refused token too, behind its error', () => {
    const token = { status: 'invalid', code: 'token_expired' } as const;
    expect(challengeOf(refused, { token })).toBe(
      `Bearer realm="api", error="invalid_token", error_description="Shown", scope="tools:read tools:call", resource_metadata="${OWN}"`,
    );
  });

  it('for a missing scope names all that are needed, in one challenge', () => {
    const { response } = answer(step({ kind: 'scope', scopes: ['tools:read', 'tools:call'] }), { route });
    expect(response?.status).toBe(403);
    expect(response?.headers['www-authenticate']).toBe(
      `Bearer realm="api", error="insufficient_scope", scope="tools:read tools:call", resource_metadata="${OWN}"`,
    );
  });

  it('for a proof of possession and for a stronger authentication', () => {
    expect(challengeOf(step({ kind: 'binding', methods: ['dpop'] }))).toMatch(/^DPoP .*resource_metadata="https:\/\/mcp\.example\//);
    expect(challengeOf(step({ kind: 'authentication', acr_values: ['urn:gold'] }))).toMatch(
      /^Bearer .*acr_values="urn:gold".*resource_metadata="https:\/\/mcp\.example\//,
    );
  });

  it('has no scope where the route has none, or none that a challenge can name', () => {
    for (const scopes of [[], ['a b', '"']]) {
      expect(challengeOf(refused, { route: { ...route, scopes } })).toBe(`Bearer realm="api", resource_metadata="${OWN}"`);
    }
  });

  it('keeps the scopes to itself where the token was good, and something else was not', () => {
    const token = { status: 'present', value: GOOD_TOKEN } as const;
    expect(challengeOf(refused, { token })).toBe(`Bearer realm="api", resource_metadata="${OWN}"`);
  });

  it('is not on a 403 that another token would not mend', () => {
    expect(challengeOf([['a.shown', 'deny']])).toBeUndefined();
  });
});

it('a route without one leaves it to the configuration, and keeps its scopes to itself', () => {
  const plain = answer(refused, { route: { ...route, resourceMetadataUrl: null } });
  expect(plain.response?.headers['www-authenticate']).toBe(
    'Bearer realm="api", resource_metadata="https://api.example/.well-known/oauth-protected-resource"',
  );
});

function goodToken(): TokenValue {
  const value = readClaims({ iss: 'https://as.example', sub: 'a', exp: 1 }, 8, 'countersign');
  if (typeof value === 'string') throw new Error(value);
  return value;
}
