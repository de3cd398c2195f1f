import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** `npm run verify` tells the tests which tools to use; a run of vitest alone takes those that an earlier verify left. */
const LEFT_BY_VERIFY: Readonly<Record<string, string>> = {
  OPA_BIN: 'bin/opa',
  HELM_BIN: 'helm/3/helm',
  HELM4_BIN: 'helm/4/helm',
  KUBERNETES_VALIDATE: 'kubernetes-validate',
  PROMTOOL_BIN: 'gateways/prometheus/run',
  ETCD_BIN: 'gateways/etcd-server/run',
  KUBE_APISERVER_BIN: 'kube-apiserver/kube-apiserver',
  CRDS_DIR: 'crds',
};

/** Environment of the tests. */
export const toolsEnv: Record<string, string> = Object.fromEntries(
  Object.entries(LEFT_BY_VERIFY)
    .map(([variable, path]): [string, string] => [variable, join(import.meta.dirname, '.tools', path)])
    .filter(([variable, path]) => process.env[variable] === undefined && existsSync(path)),
);
