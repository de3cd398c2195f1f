import { expect, test } from 'vitest';
import { identity } from '../../src/config/identity.ts';
import { createIdentifier } from '../../src/identify/identifier.ts';
import type { IdentityOptions } from '../../src/identify/options.ts';
import { createParts, createTestClock } from './fixtures.ts';

test('what the configuration gives is what the stage takes', () => {
  const issuers = [{ issuer: 'https://as.example', audiences: ['a'], discovery: true }];
  const options: IdentityOptions = identity.parse({ issuers, clients: [{ id: 'c', spiffeIds: ['spiffe://td.example/a'] }] });
  const identifier = createIdentifier(options, createParts(createTestClock()));
  expect(identifier.status().keySets).toEqual([
    { issuer: 'https://as.example', state: 'never_fetched', ageSeconds: null, keys: 0, lastError: null },
  ]);
});
