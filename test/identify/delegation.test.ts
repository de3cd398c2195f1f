import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { readDelegation, widening } from '../../src/identify/delegation.ts';

const chain = (...actors: readonly JsonObject[]): JsonObject => {
  const [current = {}, ...prior] = actors;
  return prior.length === 0 ? current : { ...current, act: chain(...prior) };
};

function read(act: JsonObject, scopes: readonly string[] = [], depthMax = 8) {
  const made = readDelegation(act, scopes, depthMax);
  if (made === null || typeof made === 'string') throw new Error(`no delegation: ${made}`);
  return made;
}

describe('[asks 44] C(B(A))', () => {
  const made = read(chain({ sub: 'c', iss: 'https://as.example' }, { sub: 'b', client_id: 'b-1' }, { sub: 'a', scope: 'x y' }));

  test('C acts now, and the chain is told from C to A', () => {
    expect(made.actor).toEqual({
      subject: 'c',
      issuer: 'https://as.example',
      clientId: null,
      depth: 3,
      flags: [],
      chain: [
        { subject: 'c', issuer: 'https://as.example', clientId: null, scopes: null },
        { subject: 'b', issuer: null, clientId: 'b-1', scopes: null },
        { subject: 'a', issuer: null, clientId: null, scopes: ['x', 'y'] },
      ],
    });
  });

  test('the bound is on the number of actors', () => {
    const twenty = chain(...Array.from({ length: 20 }, (_, n) => ({ sub: `a${n}` })));
    expect(readDelegation(twenty, [], 8)).toBe('actor_chain_too_deep');
    expect(readDelegation(twenty, [], 19)).toBe('actor_chain_too_deep');
    expect(read(twenty, [], 20).actor.depth).toBe(20);
    expect(readDelegation({ sub: 'a' }, [], 0)).toBe('actor_chain_too_deep');
  });

  test.each<[JsonObject[], string[], boolean]>([
    [[{}], ['subject_missing'], false],
    [[{ client_id: 'c' }], ['subject_missing'], true],
    [[{ sub: 'c' }, {}], ['prior_subject_missing'], true],
    [[{}, { iss: 'x' }], ['subject_missing', 'prior_subject_missing'], false],
    [[{ sub: 'c' }, { sub: 'b' }], [], true],
  ])('an actor without sub is flagged: %j', (actors, flags, actorIdentified) => {
    const one = read(chain(...actors));
    expect(one.actor.flags).toEqual(flags);
    expect(one.delegation.actorIdentified).toBe(actorIdentified);
  });

  test('nobody acts', () => expect(readDelegation(undefined, ['x'], 8)).toBeNull());

  test.each<[string, JsonObject[]]>([
    ['sub', [{ sub: 1 }]],
    ['iss', [{ sub: 'a', iss: [] }]],
    ['client_id', [{ sub: 'a' }, { sub: 'b', client_id: 7 }]],
    ['scope', [{ sub: 'a', scope: ['x'] }]],
    ['scp', [{ sub: 'a', scp: [1] }]],
    ['too many scopes', [{ sub: 'a', scope: Array.from({ length: 257 }, (_, n) => `s${n}`).join(' ') }]],
  ])('a wrong type of %s is no chain', (_, actors) => {
    expect(readDelegation(chain(...actors), [], 8)).toBe('claim_invalid');
  });

  test('what is no object is no actor', () => {
    expect(readDelegation({ sub: 'a', act: null }, [], 8)).toBe('claim_invalid');
    expect(readDelegation([], [], 8)).toBe('claim_invalid');
  });

  test('exp of an actor means nothing, and neither does may_act', () => {
    expect(read({ sub: 'a', exp: 'never', aud: 7, may_act: { sub: 'x' } }).actor.chain).toEqual([
      { subject: 'a', issuer: null, clientId: null, scopes: null },
    ]);
  });
});

describe('scopes along the chain', () => {
  test.each<[string, readonly JsonObject[], string, { widened: boolean | null; widenedScopes: string[]; complete: boolean }]>([
    ['less and less', [{ scope: 'x' }, { scope: 'x y' }], '', { widened: false, widenedScopes: [], complete: true }],
    ['the same', [{ scp: ['y', 'x'] }, { scope: 'x y' }], 'x y', { widened: false, widenedScopes: [], complete: true }],
    ['more for the current actor', [{ scope: 'x z' }, { scope: 'x' }], 'x', { widened: true, widenedScopes: ['z'], complete: true }],
    ['more in the token', [{ scope: 'x' }], 'x z', { widened: true, widenedScopes: ['z'], complete: true }],
    [
      'lost and found again',
      [{ scope: 'y' }, { scope: 'x' }, { scope: 'x y' }],
      'y',
      { widened: true, widenedScopes: ['y'], complete: true },
    ],
    ['none for a hop is none to pass on', [{ scope: '' }], 'x', { widened: true, widenedScopes: ['x'], complete: true }],
    ['a hop that does not say', [{}, { scope: 'x y' }], 'x', { widened: null, widenedScopes: [], complete: false }],
    ['more behind a hop that does not say', [{}, { scope: 'x' }], 'x y', { widened: true, widenedScopes: ['y'], complete: false }],
    ['no hop says', [{}, {}], 'x', { widened: null, widenedScopes: [], complete: false }],
    ['twice, once told', [{ scope: 'x z w' }, { scope: 'x' }], 'x z', { widened: true, widenedScopes: ['z', 'w'], complete: true }],
  ])('%s', (_, actors, token, wanted) => {
    const named = actors.map((actor) => ({ sub: 'a', ...actor }));
    expect(read(chain(...named), token.split(' ').filter(Boolean)).delegation).toMatchObject(wanted);
  });

  test('of no hop at all', () => expect(widening([])).toEqual({ widened: false, widenedScopes: [], complete: true }));
});
