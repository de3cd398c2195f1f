import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/contract/json.ts';
import { type ApiServer, clusterTool } from './api-server.ts';
import { CHART, objectsOf } from './helm.ts';
import type { KubeClient } from './kube-client.ts';

/** `problems` is all that Helm said beside its answer, warnings of the API server among it; where it failed, why. */
export type ClusterRun = { readonly ok: boolean; readonly output: string; readonly problems: string };

/** One release of the chart in a namespace of its own. */
export interface Release {
  readonly namespace: string;
  /** `helm <verb> <release> …`; the verbs that take a chart get ours. */
  helm(verb: string, ...args: readonly string[]): Promise<ClusterRun>;
  /** What Helm says that it installed: as rendered, without the hooks. */
  manifest(): Promise<readonly JsonObject[]>;
}

export type HelmName = 'Helm 3' | 'Helm 4';
export const HELM_NAMES: readonly HelmName[] = ['Helm 3', 'Helm 4'];
const VARIABLES = { 'Helm 3': 'HELM_BIN', 'Helm 4': 'HELM4_BIN' } as const;

export const RELEASE = 'cs';

/** Arguments that name the values of a scenario; `default` is what values.yaml has with the one value that nobody can do without. */
export function valuesOf(scenario: string): readonly string[] {
  if (scenario !== 'default') return ['--values', join(CHART, `values-${scenario}.yaml`)];
  return ['--set', 'config.peps[0].name=edge', '--set', `config.peps[0].tokenSha256=${'0'.repeat(64)}`];
}

export function createRelease(server: ApiServer, helm: HelmName, namespace: string): Release {
  const home = join(server.folder, helm.replace(' ', '-'));
  mkdirSync(home, { recursive: true });
  const binary = clusterTool(VARIABLES[helm]);
  const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: server.kubeconfig };

  function run(verb: readonly string[], args: readonly string[]): Promise<ClusterRun> {
    const all = [...verb, RELEASE, ...args, '--namespace', namespace];
    return new Promise((resolve) => {
      execFile(binary, all, { env, maxBuffer: 1 << 26, timeout: 120_000 }, (error, stdout, stderr) =>
        resolve({ ok: error === null, output: stdout, problems: stderr.trim() }),
      );
    });
  }

  return {
    namespace,
    helm: (verb, ...args) => run(verb.split(' '), verb === 'install' || verb === 'upgrade' ? [CHART, ...args] : args),
    async manifest() {
      const { ok, output, problems } = await run(['get', 'manifest'], []);
      if (!ok) throw new Error(problems);
      return objectsOf(output);
    },
  };
}

/** An object as it was rendered, where it lies, and what the API server has there; null where it has none. */
export type Stored = { readonly path: string; readonly rendered: JsonObject; readonly object: JsonObject | null };

/** Looks up what was rendered, in the same order. */
export function storedOf(kube: KubeClient, objects: readonly JsonObject[], namespace: string): Promise<readonly Stored[]> {
  return Promise.all(
    objects.map(async (rendered) => {
      const path = await kube.pathOf(rendered, namespace);
      const { status, body } = await kube.ask('GET', path);
      if (status !== 200 && status !== 404) throw new Error(`${path}: ${status}`);
      return { path, rendered, object: status === 200 ? body : null };
    }),
  );
}
