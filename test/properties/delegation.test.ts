import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import { meet } from '../../src/identify/agreement-mapping.ts';
import { commonNameOf, spiffeSelector } from '../../src/identify/agreement-views.ts';
import { detailsOf, namesOf } from '../../src/identify/authorization-claims.ts';
import { readDelegation, widening } from '../../src/identify/delegation.ts';
import { readClaims } from '../../src/identify/token-claims.ts';
import { judgeTxnClaims, serviceOf } from '../../src/identify/txn-token-claims.ts';

const scope = fc.constantFrom('a', 'b', 'c', 'd');
const scopes = fc.option(fc.uniqueArray(scope), { nil: null });

describe('scopes along a chain', () => {
  test('agree with the definition, word by word', () => {
    fc.assert(
      fc.property(fc.array(scopes, { maxLength: 6 }), (hops) => {
        const added = new Set<string>();
        hops.forEach((held, index) => {
          const parent = hops.slice(0, index).findLast((one) => one !== null);
          for (const one of held ?? []) if (parent !== undefined && parent?.includes(one) === false) added.add(one);
        });
        const complete = hops.every((one) => one !== null);
        const made = widening(hops);
        expect(new Set(made.widenedScopes)).toEqual(added);
        expect(made.complete).toBe(complete);
        expect(made.widened).toBe(added.size > 0 ? true : complete ? false : null);
      }),
    );
  });

  test('a chain that only ever drops scopes is never widened, and one that gains one always is', () => {
    const drops = fc.array(fc.uniqueArray<string, string>(scope), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(drops, (dropped) => {
        const hops: string[][] = [['a', 'b', 'c', 'd']];
        for (const lost of dropped) hops.push((hops.at(-1) ?? []).filter((one) => !lost.includes(one)));
        expect(widening(hops).widened).toBe(false);
        expect(widening([...hops, [...(hops.at(-1) ?? []), 'more']])).toMatchObject({ widened: true, widenedScopes: ['more'] });
      }),
    );
  });
});

describe('foreign claims', () => {
  const names = fc.constantFrom('sub', 'iss', 'client_id', 'scope', 'scp', 'act', 'may_act', 'exp', 'x');
  const value = fc.jsonValue({ maxDepth: 3 }).map((one): JsonValue => JSON.parse(JSON.stringify(one)));
  const actor: fc.Memo<JsonObject> = fc.memo((depth) =>
    fc.dictionary(names, depth > 1 ? fc.oneof(fc.string(), value, actor(depth - 1)) : fc.string()),
  );

  test('a chain is read or refused, never thrown at, and is never longer than its bound', () => {
    fc.assert(
      fc.property(actor(6), fc.nat(4), (claims, depthMax) => {
        const made = readDelegation(claims, [], depthMax);
        if (made === null || typeof made === 'string') {
          expect(['claim_invalid', 'actor_chain_too_deep']).toContain(made);
          return;
        }
        expect(made.actor.chain).toHaveLength(made.actor.depth);
        expect(made.actor.depth).toBeLessThanOrEqual(depthMax);
        expect(made.actor.subject).toBe(claims['sub'] ?? null);
      }),
    );
  });

  test('details, names, transaction claims and whole tokens likewise', () => {
    fc.assert(
      fc.property(value, value, value, (one, two, three) => {
        for (const detail of detailsOf(one) ?? []) expect(typeof detail.type).toBe('string');
        for (const name of namesOf(one) ?? []) expect(typeof name).toBe('string');
        expect([null, 'claim_missing', 'claim_invalid']).toContain(
          judgeTxnClaims({ txn: one, sub: two, scope: three, req_wl: 'w', iat: 1, tctx: one }),
        );
        expect(typeof serviceOf({ iss: one, aud: two }, new Map())).toBe('string');
        const claims = readClaims({ act: one, roles: two, authorization_details: three }, 8, 'pep');
        expect(typeof claims === 'string' || claims.verifiedBy === 'pep').toBe(true);
      }),
    );
  });
});

describe('names that are compared', () => {
  test('two lists meet alike from both sides', () => {
    const list = fc.array(fc.constantFrom('a', 'A', 'b'), { maxLength: 3 });
    fc.assert(
      fc.property(list, list, fc.boolean(), (left, right, ignoreCase) => {
        expect(meet(left, right, ignoreCase)).toBe(meet(right, left, ignoreCase));
        if (meet(left, right, false) === 'agree') expect(meet(left, right, true)).toBe('agree');
      }),
    );
  });

  test('a SPIFFE id is the sum of its segments', () => {
    const segments = fc.array(fc.stringMatching(/^[a-z0-9_-]{1,8}$/), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(segments, (parts) => {
        const id = `spiffe://td.example/${parts.join('/')}`;
        const found = parts.map((_, at) => spiffeSelector(`spiffe_path_segment:${at + 1}`)?.(id)[0]);
        expect(found).toEqual(parts);
        expect(spiffeSelector('spiffe_path_last')?.(id)).toEqual(parts.slice(-1));
        expect(spiffeSelector(`spiffe_path_segment:${parts.length + 1}`)?.(id)).toEqual([]);
      }),
    );
  });

  test('a common name is found only where nobody could find another one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('C', 'N', '=', ',', '+', '"', '\\', 'a', ' '), maxLength: 16 }), (subject) => {
        const name = commonNameOf(subject);
        if (name === null) return;
        expect(subject).not.toMatch(/["\\]/);
        expect(subject.split(/[,+]/).filter((part) => /^\s*cn=/i.test(part))).toHaveLength(1);
        expect(subject).toContain(name);
      }),
    );
  });
});
