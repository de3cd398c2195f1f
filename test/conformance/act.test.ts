import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../src/contract/json.ts';
import { readClaims } from '../../src/identify/token-claims.ts';
import { vectorCases } from '../support/vectors.ts';

const schema = z.object({
  id: z.string(),
  claims: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null),
  subject: z.string(),
  current_actor: z.string().nullable(),
  prior_actors: z.array(z.string()),
});

describe('[asks 44] actors of RFC 8693', () => {
  const cases = vectorCases('oauth', 'rfc8693-act.json', schema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { claims, subject, current_actor: current, prior_actors: prior }) => {
    const value = readClaims(claims, 8, 'countersign');
    if (typeof value === 'string') return expect.fail(value);
    expect(value.subject).toBe(subject);
    if (current === null) return expect(value.actor).toBeNull();
    expect(value.actor).toMatchObject({ subject: current, depth: prior.length + 1 });
    expect(value.actor?.chain.map(({ subject: name }) => name)).toEqual([current, ...prior]);
  });
});
