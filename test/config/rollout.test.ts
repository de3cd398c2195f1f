import { describe, expect, it } from 'vitest';
import { printConfig } from '../../src/config/mask.ts';
import { configSchema } from '../../src/config/schema.ts';

const SECRET = '000102030405060708090a0b0c0d0e0f';

/** Paths of what is wrong. */
function wrong(config: Readonly<Record<string, unknown>>): string[] {
  return (configSchema.safeParse(config).error?.issues ?? []).map(({ path }) => path.join('.'));
}
const withCandidate = (candidate: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) =>
  wrong({ policy: { bundle: 'policies', candidate, ...more } });

describe('policy.candidate', () => {
  it('there is none by default, and a bundle is enough for one', () => {
    expect(configSchema.parse({}).policy.candidate).toBeNull();
    expect(configSchema.parse({ policy: { candidate: { bundle: 'next' } } }).policy.candidate).toMatchObject({
      shadow: { share: 0, budgetMs: 100 },
      canary: { percent: 0, keyFile: null, secret: null },
    });
  });

  it('a canary needs a key of 128 bits at least, from one place', () => {
    const canary = (one: Readonly<Record<string, unknown>>) => withCandidate({ bundle: 'next', canary: one });
    expect(canary({ percent: 1 })).toEqual(['policy.candidate.canary.percent']);
    expect(canary({ percent: 1, secret: SECRET })).toEqual([]);
    expect(canary({ percent: 1, keyFile: '/run/key' })).toEqual([]);
    expect(canary({ percent: 1, secret: SECRET, keyFile: '/run/key' })).toEqual(['policy.candidate.canary.secret']);
    for (const secret of [SECRET.slice(2), 'a secret that somebody typed, 128 bits', '00'.repeat(16), ''])
      expect(canary({ percent: 1, secret })).toContain('policy.candidate.canary.secret');
    expect(canary({ percent: 101, secret: SECRET })).toEqual(['policy.candidate.canary.percent']);
  });

  it('its bundle server must be as safe as that of the policy', () => {
    expect(withCandidate({ bundle: 'http://bundles.example/next' })).toEqual(['policy.candidate.bundle']);
    expect(withCandidate({ bundle: 'http://bundles.example/next' }, { allowInsecureHttp: true })).toEqual([]);
    expect(wrong({ policies: { a: { bundle: 'a', candidate: { bundle: 'http://bundles.example/next' } } } })).toEqual([
      'policies.a.candidate.bundle',
    ]);
  });

  it('the key is never shown', () => {
    const config = configSchema.parse({ policy: { candidate: { bundle: 'next', canary: { percent: 1, secret: SECRET } } } });
    expect(printConfig(config)).not.toContain(SECRET);
  });
});

describe('monitor mode', () => {
  it('everything is enforced by default', () => {
    const config = configSchema.parse({ peps: [{ name: 'edge', anonymous: true }] });
    expect(config.monitor).toEqual({ routes: 'refused', critical: 'enforced' });
    expect(config.peps.map(({ enforce }) => enforce)).toEqual([true]);
  });

  it.each([{ routes: true }, { routes: 'yes' }, { critical: false }])('what it allows must be written out: %j', (monitor) => {
    expect(wrong({ monitor })).toHaveLength(1);
  });
});
