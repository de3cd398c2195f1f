import { expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { DIALECTS } from '../../src/contract/pep.ts';

const dialectOf = (dialect: unknown) =>
  configSchema.safeParse({ peps: [{ name: 'edge', tokenSha256: 'a'.repeat(64), dialect }] }).data?.peps[0]?.dialect;

test('a gateway has one of the dialects of the contract, or none', () => {
  expect(DIALECTS.map(dialectOf)).toEqual(DIALECTS);
  expect([dialectOf(null), dialectOf(undefined)]).toEqual([null, null]);
  expect(configSchema.safeParse({ peps: [{ name: 'edge', tokenSha256: 'a'.repeat(64), dialect: 'envoy' }] }).success).toBe(false);
});
