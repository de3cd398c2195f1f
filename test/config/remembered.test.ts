import { describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';

const JA4 = 't13d1516h2_8daaf6152771_b186095e22b6';
const problems = (config: object): string[] => configSchema.safeParse(config).error?.issues.map(({ path }) => path.join('.')) ?? [];

test('both are on by themselves, with a day of learning', () => {
  const { device, behaviour } = configSchema.parse({});
  expect(device).toEqual({ enabled: true, entriesMax: 100_000, learningRequests: 100, learningHours: 24, known: [] });
  expect(behaviour).toEqual({
    enabled: true,
    entriesMax: 100_000,
    learningRequests: 100,
    learningHours: 24,
    feedbackEntriesMax: 100_000,
  });
});

describe('registered devices', () => {
  const sha = 'a'.repeat(64);

  test('by one of three things or all', () => {
    const known = [
      { client: 'a', ja4: JA4.toUpperCase() },
      { client: 'a', certificateSha256: sha },
      { client: 'b', ja3: 'e'.repeat(32), ja4: JA4, certificateSha256: sha },
    ];
    expect(configSchema.parse({ device: { known } }).device.known).toEqual([
      { client: 'a', ja4: JA4, ja3: null, certificateSha256: null },
      { client: 'a', ja4: null, ja3: null, certificateSha256: sha },
      { client: 'b', ja4: JA4, ja3: 'e'.repeat(32), certificateSha256: sha },
    ]);
  });

  test.each([
    ['by nothing', { client: 'a' }, 'device.known.0'],
    ['no client', { ja4: JA4 }, 'device.known.0.client'],
    ['a JA4 of another shape', { client: 'a', ja4: 'abc' }, 'device.known.0.ja4'],
    ['a JA3 of another shape', { client: 'a', ja3: JA4 }, 'device.known.0.ja3'],
    ['a certificate by something else', { client: 'a', certificateSha256: 'CN=a' }, 'device.known.0.certificateSha256'],
  ])('refused: %s', (_what, known, path) => {
    expect(problems({ device: { known: [known] } })).toEqual([path]);
  });
});

test.each([
  [{ behaviour: { entriesMax: 1 } }, 'behaviour.entriesMax'],
  [{ behaviour: { learningHours: -1 } }, 'behaviour.learningHours'],
  [{ device: { learningRequests: 0.5 } }, 'device.learningRequests'],
])('refused: %j', (config, path) => {
  expect(problems(config)).toEqual([path]);
});

test.each(['authorization', 'cookie', 'x-api-key', 'x_tls_ja4', 'x-countersign-ja4'])('a fingerprint does not come in %s', (ja4) => {
  const pep = { name: 'edge', anonymous: true, fingerprintHeaders: { ja4 } };
  expect(new Set(problems({ peps: [pep] }))).toEqual(new Set(['peps.0.fingerprintHeaders.ja4']));
});
