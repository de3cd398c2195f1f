import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { createAssertionWorld, encoded, ISSUER, NOW_SECONDS } from '../client/assertion-world.ts';

type World = Awaited<ReturnType<typeof createAssertionWorld>>;
let world: World;
beforeAll(async () => {
  world = await createAssertionWorld();
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

test('no assertion with one character changed, added or gone is believed', async () => {
  const token = world.assertion();
  const verifier = world.verifier();
  const place = fc.nat(token.length - 1);
  await fc.assert(
    fc.asyncProperty(place, fc.constantFrom('change', 'add', 'cut'), fc.constantFrom(...`${ALPHABET}.=`), async (at, how, character) => {
      const rest = token.slice(how === 'add' ? at : at + 1);
      const changed = `${token.slice(0, at)}${how === 'cut' ? '' : character}${rest}`;
      fc.pre(changed !== token);
      expect((await verifier.verify(changed)).ok).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test('none is believed but for its issuer, route and time', async () => {
  const verifier = world.verifier();
  const issuers = fc.oneof({ weight: 4, arbitrary: fc.constant(ISSUER) }, fc.webUrl());
  const routes = fc.oneof({ weight: 4, arbitrary: fc.constant('orders-read') }, fc.string());
  await fc.assert(
    fc.asyncProperty(
      issuers,
      routes,
      fc.integer({ min: -400, max: 400 }),
      fc.integer({ min: -10, max: 400 }),
      async (iss, aud, offset, life) => {
        const iat = NOW_SECONDS + offset;
        const claims = { iss, aud, policy: 'default', jti: 'd', assurance: 1, risk: 0, pep: 'edge', iat, exp: iat + life };
        const good = iss === ISSUER && aud === 'orders-read' && offset <= 5 && offset + life > -5 && life > 0 && life <= 300;
        expect((await verifier.verify(world.signed(claims))).ok).toBe(good);
      },
    ),
    { numRuns: 2000 },
  );
});

test('no text is believed, and none makes it throw', async () => {
  const verifier = world.verifier();
  const json = fc.json().map((text) => Buffer.from(text).toString('base64url'));
  const part = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...ALPHABET) }), json, fc.jsonValue().map(encoded));
  const { kid } = world.keys.active();
  const head = fc
    .record({ typ: fc.constant('countersign-assertion+jwt'), alg: fc.constantFrom('EdDSA', 'ES256'), kid: fc.constant(kid) })
    .map(encoded);
  await fc.assert(
    fc.asyncProperty(fc.oneof(part, head), part, part, async (first, second, third) => {
      expect((await verifier.verify(`${first}.${second}.${third}`)).ok).toBe(false);
    }),
    { numRuns: 2000 },
  );
});
