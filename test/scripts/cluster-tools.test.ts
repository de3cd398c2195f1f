import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { CRD_MODULES, findCrds } from '../../scripts/tools/crds.mjs';
import { findEtcd } from '../../scripts/tools/etcd.mjs';
import { findKubeApiserver, goMod, KUBERNETES_VERSION } from '../../scripts/tools/kube-apiserver.mjs';
import { KUBERNETES_VERSIONS } from '../../scripts/tools/kubernetes-validate.mjs';

afterEach(() => vi.unstubAllEnvs());

test('what is named and is another program, or holds nothing, is refused', async () => {
  vi.stubEnv('ETCD_BIN', process.execPath);
  await expect(findEtcd()).rejects.toThrow(/ETCD_BIN names .* which does not run as etcd-server/);
  vi.stubEnv('KUBE_APISERVER_BIN', process.execPath);
  await expect(findKubeApiserver()).rejects.toThrow(/KUBE_APISERVER_BIN names .* which does not run as kube-apiserver/);
  vi.stubEnv('CRDS_DIR', '/nowhere');
  await expect(findCrds()).rejects.toThrow('CRDS_DIR names /nowhere, in which there is no YAML file.');
});

test('programs and a folder that are named are taken', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-cluster-tools-'));
  try {
    const program = (name: string, says: string): string => {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
      return path;
    };
    vi.stubEnv('ETCD_BIN', program('etcd', 'etcd Version: 3.5.9'));
    expect(await findEtcd()).toEqual({ path: join(folder, 'etcd'), version: '3.5.9', from: 'ETCD_BIN' });
    vi.stubEnv('KUBE_APISERVER_BIN', program('apiserver', 'Kubernetes v1.35.0'));
    expect(await findKubeApiserver()).toEqual({ path: join(folder, 'apiserver'), version: '1.35.0', from: 'KUBE_APISERVER_BIN' });
    writeFileSync(join(folder, 'a.yaml'), '');
    vi.stubEnv('CRDS_DIR', folder);
    expect(await findCrds()).toEqual({ path: folder, version: '1 files', from: 'CRDS_DIR' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the API server is built with the published form of each staging module, and of no other', () => {
  const replace = (path: string, to: string) => ({ Old: { Path: path }, New: { Path: to } });
  const text = goMod({
    Go: '1.24.0',
    Replace: [replace('k8s.io/api', './staging/src/k8s.io/api'), replace('example.org/fork', 'example.org/other')],
  });
  expect(text.split('\n').filter((line) => line !== '')).toEqual([
    'module countersign.invalid/cluster',
    'go 1.24.0',
    'require k8s.io/kubernetes v1.34.4',
    'replace k8s.io/api => k8s.io/api v0.34.4',
  ]);
});

test('the API server is of a version whose schemas the chart is held against, and each definition of a fixed one', () => {
  expect(KUBERNETES_VERSIONS).toContain(KUBERNETES_VERSION.split('.').slice(0, 2).join('.'));
  for (const module of Object.keys(CRD_MODULES)) expect(module).toMatch(/^[\w./-]+@v\d+\.\d+\.\d+$/);
});
