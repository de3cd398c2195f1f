import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';

const ROOT = join(import.meta.dirname, '../..');
export const CHART = join(ROOT, 'helm/countersign');

/** The scenario files of the chart, by the name in `values-<name>.yaml`. */
export const SCENARIOS: readonly string[] = readdirSync(CHART)
  .flatMap((file) => /^values-(.+)\.yaml$/.exec(file)?.[1] ?? [])
  .sort();

/** One chart, rendered. */
export type Rendered = { readonly objects: readonly JsonObject[]; readonly notes: string };

export type HelmRun = { readonly ok: boolean; readonly output: string };

/** What `values` says in YAML goes before the scenario. */
export type RenderOptions = {
  readonly scenario?: string;
  readonly values?: string;
  readonly namespace?: string;
  readonly release?: string;
};

/** `notes` are no part of what `helm template` prints: a copy of the chart shows them in an object of its own. */
const NOTES_NAME = 'notes-of-the-test';
const NOTES_TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata: { name: ${NOTES_NAME} }
data: { notes: {{ include "countersign.notes" . | toJson }} }
`;

/** Helm, over a copy of the chart that also shows its notes. */
export interface Helm {
  /** The objects of a scenario, or of the default values; the same question is answered once. Fails with Helm's own words. */
  render(options?: RenderOptions): Promise<Rendered>;
  /** As `render`, with Helm's words where it refuses. */
  tryRender(options: RenderOptions): Promise<HelmRun>;
  lint(scenario?: string): Promise<HelmRun>;
  /** `helm template` with these arguments, from the folder of the project. */
  template(release: string, args: readonly string[]): Promise<HelmRun>;
  close(): void;
}

/** `variable` names the binary: HELM_BIN or HELM4_BIN. */
export function createHelm(variable = 'HELM_BIN'): Helm {
  const binary = process.env[variable] ?? '';
  if (binary === '') throw new Error(`${variable} is not set: \`npm run verify\` gets Helm into .tools/helm`);
  const folder = mkdtempSync(join(tmpdir(), 'countersign-chart-'));
  const copy = join(folder, 'countersign');
  cpSync(CHART, copy, { recursive: true });
  writeFileSync(join(copy, 'templates/notes-of-the-test.yaml'), NOTES_TEMPLATE);
  const known = new Map<string, Promise<Rendered>>();
  let files = 0;

  const run = (...args: string[]): Promise<HelmRun> =>
    new Promise((resolve) => {
      const env = { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
      execFile(binary, args, { cwd: ROOT, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
        resolve({ ok: error === null, output: error === null ? stdout : stderr }),
      );
    });

  function tryRender({ scenario, values, namespace = 'default', release = 'cs' }: RenderOptions): Promise<HelmRun> {
    const args = ['template', release, copy, '--namespace', namespace, '--kube-version', 'v1.34.0'];
    if (scenario !== undefined) args.push('--values', join(CHART, `values-${scenario}.yaml`));
    if (values !== undefined) {
      files += 1;
      const file = join(folder, `values-${files}.yaml`);
      writeFileSync(file, values);
      args.push('--values', file);
    }
    return run(...args);
  }

  async function renderAnew(options: RenderOptions): Promise<Rendered> {
    const { ok, output } = await tryRender(options);
    if (!ok) throw new Error(output);
    const objects = objectsOf(output);
    const isNotes = (object: JsonObject) => nameOf(object) === NOTES_NAME;
    const notes = objects.find(isNotes)?.['data'];
    return {
      objects: objects.filter((object) => !isNotes(object)),
      notes: isJsonObject(notes) ? String(notes['notes']) : '',
    };
  }

  return {
    render(options = {}) {
      const key = JSON.stringify(options);
      const rendered = known.get(key) ?? renderAnew(options);
      known.set(key, rendered);
      return rendered;
    },
    tryRender,
    lint: (scenario) =>
      run('lint', '--strict', CHART, ...(scenario === undefined ? [] : ['--values', join(CHART, `values-${scenario}.yaml`)])),
    template: (release, args) => run('template', release, CHART, '--kube-version', 'v1.34.0', ...args),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Of a stream of YAML documents; empty ones are left out, a bad one or a name that is there twice throws. */
export function objectsOf(text: string): JsonObject[] {
  const objects = parseAllDocuments(text, { uniqueKeys: true }).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const value: unknown = document.toJS();
    return isJsonObject(value) ? [value] : [];
  });
  return objects;
}

/** `metadata.name`. */
export function nameOf(object: JsonObject): string {
  return String(at(object, 'metadata', 'name') ?? '');
}

/** What lies at a path of names and indexes, or undefined. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, part) => {
    if (Array.isArray(inner))
      return typeof part === 'number' ? inner[part] : inner.find((one) => isJsonObject(one) && one['name'] === part);
    return isJsonObject(inner) ? inner[part] : undefined;
  }, value);
}

/** The one object of a kind and, where there are several, of a name. */
export function one({ objects }: Rendered, kind: string, name?: string): JsonObject {
  const found = objects.filter((object) => object['kind'] === kind && (name === undefined || nameOf(object) === name));
  if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} objects of ${kind} ${name ?? ''}`);
  return found[0];
}

/** `Kind/name` of every object. */
export function names({ objects }: Rendered): string[] {
  return objects.map((object) => `${object['kind']}/${nameOf(object)}`).sort();
}

/** The spec of the pods of an object that makes pods, or null. */
export function podOf(object: JsonObject): JsonObject | null {
  const spec =
    object['kind'] === 'Pod'
      ? object['spec']
      : object['kind'] === 'CronJob'
        ? at(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec')
        : at(object, 'spec', 'template', 'spec');
  return isJsonObject(spec) ? spec : null;
}

/** The specs of all pods that objects make. */
export function podsOf(objects: readonly JsonObject[]): JsonObject[] {
  return objects.map(podOf).filter(isJsonObject);
}

/** Every container of a pod, those that start first among them. */
export function containersOf(pod: JsonObject): JsonObject[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((key) => {
    const list = pod[key];
    return Array.isArray(list) ? list.filter(isJsonObject) : [];
  });
}
