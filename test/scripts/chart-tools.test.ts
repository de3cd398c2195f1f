import { afterEach, expect, test, vi } from 'vitest';
import { findHelm, HELMS } from '../../scripts/tools/helm.mjs';
import { findKubernetesValidate } from '../../scripts/tools/kubernetes-validate.mjs';
import { findPromtool } from '../../scripts/tools/promtool.mjs';

afterEach(() => vi.unstubAllEnvs());

test('the tools that the environment names are taken', async () => {
  const from = (variable: string) => ({ path: process.env[variable], from: variable });
  expect(await findHelm(HELMS.helm3)).toMatchObject({ ...from('HELM_BIN'), version: expect.stringMatching(/^3\./) });
  expect(await findKubernetesValidate()).toEqual({ ...from('KUBERNETES_VALIDATE'), version: '1.37.0' });
  expect(await findPromtool()).toMatchObject(from('PROMTOOL_BIN'));
});

test('what is named and is another program, or another Helm, is refused', async () => {
  vi.stubEnv('HELM4_BIN', process.env['HELM_BIN']);
  await expect(findHelm(HELMS.helm4)).rejects.toThrow(/HELM4_BIN names .* which does not run as Helm 4\.3\.1/);
  vi.stubEnv('HELM_BIN', process.execPath);
  await expect(findHelm(HELMS.helm3)).rejects.toThrow(/HELM_BIN names .* which does not run as Helm 3\.22\.0/);
  vi.stubEnv('KUBERNETES_VALIDATE', '/nowhere');
  await expect(findKubernetesValidate()).rejects.toThrow('KUBERNETES_VALIDATE names /nowhere');
  vi.stubEnv('PROMTOOL_BIN', process.execPath);
  await expect(findPromtool()).rejects.toThrow('PROMTOOL_BIN names');
});
