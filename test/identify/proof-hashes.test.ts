import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBindingJudge } from '../../src/identify/binding.ts';
import { accessTokenHash, parseProof, replayKeyOf } from '../../src/identify/dpop-proof.ts';
import { bound, client, httpFacts, proof } from './bound.ts';
import { createBench, createTestClock, identityOptions, makeRequest } from './fixtures.ts';

/* What is hashed once, and what is hashed without a separator. */

const text = await proof();
const parsed = parseProof(text, new Set(['ES256']), new Map());
if (typeof parsed === 'string') throw new Error(parsed);

test('the hash of one token never serves for another one, whatever outcome both came with', async () => {
  const asked: string[] = [];
  const judge = createBindingJudge({
    verify(_request, ath) {
      asked.push(ath);
      return { status: 'invalid', code: 'dpop_malformed', nextNonce: null };
    },
    status: () => ({ hits: 0, misses: 0, entries: 0 }),
  });
  const request = makeRequest(createTestClock(), { http: httpFacts() });
  const outcome = await presentOutcome();
  for (const token of [bound, `${bound}x`, bound, bound]) {
    await judge.judge(request, { scheme: 'DPoP', token }, outcome, { status: 'absent', code: 'certificate_missing' });
  }
  const [one, other] = [accessTokenHash(bound), accessTokenHash(`${bound}x`)];
  expect(asked).toEqual([one, other, one, one]);
});

/** The value does not matter here: a present token that is bound to the client's key. */
async function presentOutcome() {
  const identity = await createBench(identityOptions([])).identify({
    claims: { iss: 'https://as.example', sub: 'a', cnf: { jkt: client.jkt } },
  });
  if (identity.signals.token.status !== 'present') throw new Error('no token');
  const confirmation = { jkt: client.jkt, certificate: null };
  return { signal: identity.signals.token, tokenKey: null, confirmation, identityAlone: null };
}

type Parts = { readonly jti: string; readonly origin: string; readonly path: string };

test('[asks 35] other identifiers, origins or paths are other keys of the replay memory, wherever the text is divided', () => {
  const part = fc.stringMatching(/^[0-9a-z:/ ]{0,6}$/);
  const port = fc.constantFrom('', ':1', ':12');
  const tuple = fc.tuple(part, port, part).map(([jti, at, path]) => ({ jti: `1${jti}`, origin: `https://a${at}`, path: `/${path}` }));
  // without its length the identifier could take in what follows it
  const examples: [Parts, Parts][] = [
    [
      { jti: '1', origin: 'https://a', path: '/https://a/' },
      { jti: '1https://a/', origin: 'https://a', path: '/' },
    ],
  ];
  const keyOf = ({ jti, ...uri }: Parts) => replayKeyOf({ ...parsed, jti }, uri);
  fc.assert(
    fc.property(tuple, tuple, (one, other) => {
      const same = one.jti === other.jti && one.origin === other.origin && one.path === other.path;
      expect(keyOf(one) === keyOf(other)).toBe(same);
    }),
    { examples },
  );
});

test('a proof whose text is longer than the scratch is checked as any other', async () => {
  const long = await proof({ claims: { padding: 'x'.repeat(20_000) } });
  const opened = parseProof(long, new Set(['ES256']), new Map());
  if (typeof opened === 'string') throw new Error(opened);
  expect(opened.isSigned()).toBe(true);
  expect(parsed.isSigned()).toBe(true);
});
