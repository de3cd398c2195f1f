import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { maskConfig } from '../../src/config/mask.ts';
import { configSchema } from '../../src/config/schema.ts';

const PEM = '-----BEGIN PRIVATE KEY-----\nthe secret words\n-----END PRIVATE KEY-----\n';
const KEY = { id: 'k1', file: '/keys/k1.pem' };
const PUBLIC = { publicUrl: 'https://pdp.example' };

const problemsOf = (config: object): string[] => {
  const parsed = configSchema.safeParse(config);
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
};

describe('assertion', () => {
  it('is off by itself', () => {
    expect(configSchema.parse({}).assertion).toBeNull();
  });

  it('needs a key, and has a minute and the first key by itself', () => {
    const { assertion } = configSchema.parse({ ...PUBLIC, assertion: { keys: [KEY, { id: 'k2', pem: PEM }] } });
    expect(assertion).toEqual({
      keys: [
        { ...KEY, pem: null },
        { id: 'k2', pem: PEM, file: null },
      ],
      active: null,
      lifetimeSeconds: 60,
    });
  });

  it.each([
    ['no issuer', { assertion: { keys: [KEY] } }, ['publicUrl']],
    ['no key', { ...PUBLIC, assertion: { keys: [] } }, ['assertion.keys']],
    ['a key twice over', { ...PUBLIC, assertion: { keys: [{ ...KEY, pem: PEM }] } }, ['assertion.keys.0']],
    ['a key that is none', { ...PUBLIC, assertion: { keys: [{ id: 'k1' }] } }, ['assertion.keys.0']],
    ['a text that is no PEM', { ...PUBLIC, assertion: { keys: [{ id: 'k1', pem: 'secret' }] } }, ['assertion.keys.0.pem']],
    ['an id twice', { ...PUBLIC, assertion: { keys: [KEY, KEY] } }, ['assertion.keys.1.id']],
    ['an active key that is not there', { ...PUBLIC, assertion: { keys: [KEY], active: 'k2' } }, ['assertion.active']],
    ['an hour', { ...PUBLIC, assertion: { keys: [KEY], lifetimeSeconds: 3600 } }, ['assertion.lifetimeSeconds']],
    ['anybody who asks', { ...PUBLIC, allowAnonymous: true, assertion: { keys: [KEY] } }, ['assertion']],
  ])('is refused with %s', (_what, config, paths) => {
    expect(problemsOf(config)).toEqual(paths);
  });

  it('comes from the environment too, where keys are secrets of the platform', () => {
    const env = { COUNTERSIGN_PUBLIC_URL: 'https://pdp.example', COUNTERSIGN_ASSERTION_KEYS: JSON.stringify([{ id: 'k1', pem: PEM }]) };
    expect(loadConfig({ env, cwd: '/' }).assertion?.keys).toEqual([{ id: 'k1', pem: PEM, file: null }]);
    const bad = { ...env, COUNTERSIGN_ASSERTION_KEYS: JSON.stringify([{ id: 'k1', pem: 'the secret words' }]) };
    expect(() => loadConfig({ env: bad, cwd: '/' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret words') }),
    );
  });

  it('never shows a key', () => {
    const shown = JSON.stringify(maskConfig(configSchema.parse({ ...PUBLIC, assertion: { keys: [{ id: 'k1', pem: PEM }] } })));
    expect(shown).toContain('"k1"');
    expect(shown).not.toContain('secret words');
  });
});
