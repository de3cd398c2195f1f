import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { envoyBinary } from '../support/envoy.ts';
import { at, createHelm, one } from '../support/helm.ts';

test('the Envoy of the scenario `sidecar` has a configuration that Envoy takes, and asks where the service listens', async () => {
  const helm = createHelm();
  const chart = await helm.render({ scenario: 'sidecar' });
  helm.close();
  const text = String(at(one(chart, 'ConfigMap', 'cs-countersign-gateway'), 'data', 'envoy.yaml'));
  expect(text).toContain('address: 127.0.0.1, port_value: 9191');
  const folder = mkdtempSync(join(tmpdir(), 'countersign-sidecar-'));
  const file = join(folder, 'envoy.yaml');
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(envoyBinary(), ['--mode', 'validate', '--config-path', file, '--log-level', 'warning'], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true, force: true });
  expect(`${stdout}${stderr}`).toContain('OK');
  expect(status).toBe(0);
});
