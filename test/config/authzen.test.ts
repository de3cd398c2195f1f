import { describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';

const publicUrlOf = (publicUrl: unknown): unknown => {
  const read = configSchema.safeParse({ publicUrl });
  return read.success ? read.data.publicUrl : [...new Set(read.error.issues.map(({ path }) => path.join('.')))];
};

describe('publicUrl', () => {
  test.each(['https://pdp.example.com', 'https://pdp.example.com:8443/tenant1', 'http://127.0.0.1:8080', null])('%s', (url) => {
    expect(publicUrlOf(url)).toBe(url);
  });

  // gateways compare the id with the base that they use, so it has one spelling
  test.each([
    'http://pdp.example.com',
    'https://pdp.example.com/',
    'https://pdp.example.com/tenant/',
    'https://pdp.example.com//tenant',
    'https://pdp.example.com/a/../b',
    'https://PDP.example.com',
    'https://pdp.example.com:443',
    'https://pdp.example.com?a=b',
    'https://pdp.example.com?',
    'https://pdp.example.com#a',
    'https://user@pdp.example.com',
    'pdp.example.com',
    7,
  ])('not %s', (url) => {
    expect(publicUrlOf(url)).toEqual(['publicUrl']);
  });
});

test.each([0, 1001, 1.5])('a batch of %s at most is refused', (evaluationsMax) => {
  expect(configSchema.safeParse({ authzen: { evaluationsMax } }).success).toBe(false);
});
