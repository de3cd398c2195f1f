import { afterAll, describe, expect, test } from 'vitest';
import { createHelm, SCENARIOS } from '../support/helm.ts';

const [three, four] = [createHelm('HELM_BIN'), createHelm('HELM4_BIN')];
afterAll(() => {
  three.close();
  four.close();
});

describe('Helm 4', () => {
  test('passes the default values by its strict linter', async () => {
    expect(await four.lint()).toMatchObject({ ok: true });
  });

  test.each(SCENARIOS)('passes %s, and makes the same of it as Helm 3', async (scenario) => {
    expect(await four.lint(scenario)).toMatchObject({ ok: true });
    expect(await four.render({ scenario })).toEqual(await three.render({ scenario }));
  });

  test.each([
    ['config: {http: {prot: 80}}', "at '/config/http': additional properties 'prot' not allowed"],
    ['replicas: two', "at '/replicas': got string, want integer"],
    ['', 'config.peps must name the gateways that may ask'],
  ])('refuses what Helm 3 refuses, and says the same: %s', async (values, said) => {
    for (const helm of [three, four]) {
      const { ok, output } = await helm.tryRender({ values });
      expect([ok, output]).toEqual([false, expect.stringContaining(said)]);
    }
  });
});
