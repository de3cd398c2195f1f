import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FormAnswer } from '../../src/stores/form-post.ts';
import { createBench, identityOptions, issuerOptions } from '../identify/fixtures.ts';
import { ACTIVE, introspectionOptions } from '../identify/introspection/fixtures.ts';

/** What becomes of a token whose server gives this answer; a new identifier each time, so that nothing is cached. */
function judge(answer: Partial<FormAnswer>): Promise<string> {
  const introspection = introspectionOptions({ endpoint: 'https://as.example/introspect' });
  const whole: FormAnswer = { status: 200, contentType: 'application/json', bytes: Buffer.from(''), ...answer };
  const bench = createBench(identityOptions([issuerOptions({ introspection })]), { formPost: async () => whole });
  return bench.judge('opaque');
}

const members = fc.constantFrom(...Object.keys(ACTIVE), 'cnf', 'act', 'nbf', 'token_use', 'typ', 'authorization_details', '__proto__');
const OUTCOMES = /^(present|invalid [a-z_]+|unavailable introspection_unavailable)$/;

describe('whatever a server answers', () => {
  test('bytes: nothing but refusals', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(await judge({ bytes: Buffer.from(bytes) })).toBe('unavailable introspection_unavailable');
      }),
    );
  });

  test('JSON: present only where it says `active: true`', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(members, fc.jsonValue()), fc.boolean(), async (changes, active) => {
        const answer = { ...ACTIVE, active, ...changes };
        const outcome = await judge({ bytes: Buffer.from(JSON.stringify(answer)) });
        expect(outcome).toMatch(OUTCOMES);
        if (answer.active !== true) expect(outcome).not.toBe('present');
      }),
    );
  });

  test('a status other than 200, or another type: never present', async () => {
    const bytes = Buffer.from(JSON.stringify(ACTIVE));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 201, max: 599 }), fc.string(), async (status, contentType) => {
        expect(await judge({ status, bytes })).toBe('unavailable introspection_unavailable');
        if (!contentType.toLowerCase().startsWith('application/json')) expect(await judge({ contentType, bytes })).not.toBe('present');
      }),
    );
  });
});
