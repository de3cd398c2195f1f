import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { maskConfig, printConfig } from '../../src/config/mask.ts';

const env = {
  COUNTERSIGN_STORE_KIND: 'redis',
  COUNTERSIGN_STORE_URL: 'rediss://reader:hunter2@redis.example:6380/3',
  COUNTERSIGN_PEPS: JSON.stringify([{ name: 'edge', tokenSha256: 'ab'.repeat(32), trusts: ['claims'] }]),
  COUNTERSIGN_OPERATIONS_TOKENS: JSON.stringify([{ name: 'ops', role: 'viewer', tokenSha256: 'cd'.repeat(32) }]),
  COUNTERSIGN_IDENTITY_DPOP_NONCE_SECRET: 'swordfish'.repeat(4),
  COUNTERSIGN_POLICIES: JSON.stringify({ pay: { bundle: '/pay' } }),
};

describe('what is shown of a configuration', () => {
  const config = loadConfig({ env });
  const text = printConfig(config);

  it('holds no secret', () => {
    for (const secret of ['hunter2', 'abab', 'cdcd', 'swordfish']) expect(text).not.toContain(secret);
  });

  it('is YAML with everything else in it', () => {
    const shown = parse(text);
    expect(shown).toEqual(maskConfig(config));
    expect(shown.store).toEqual({
      kind: 'redis',
      url: 'rediss://reader:***@redis.example:6380/3',
      sentinels: [],
      cluster: null,
      deadlineMs: 25,
      keyPrefix: 'countersign',
    });
    expect(shown.peps[0]).toMatchObject({ name: 'edge', tokenSha256: '***', trusts: ['claims'] });
    expect(shown.operations.tokens).toEqual([{ name: 'ops', role: 'viewer', tokenSha256: '***' }]);
    expect(shown.policies.pay).toMatchObject({ bundle: '/pay', contract: 'rules' });
    expect(Object.keys(shown)).toEqual(Object.keys(config));
  });

  it('leaves the configuration as it was', () => {
    expect(config.store).toMatchObject({ url: env.COUNTERSIGN_STORE_URL });
  });
});
