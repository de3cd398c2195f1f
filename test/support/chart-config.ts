import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { at, containersOf, one, podOf, type Rendered } from './helm.ts';

/** What a Secret holds, by its key, in the tests. */
const SECRETS: Readonly<Record<string, string>> = {
  user: 'countersign',
  password: 'p%40ss',
  'sentinel-password': 's%2Fentinel',
  'dpop-nonce-secret': '0123456789abcdef0123456789abcdef',
  'peps.json': JSON.stringify([{ name: 'edge', tokenSha256: '0'.repeat(64) }]),
  url: 'rediss://acl:secret@redis.data:6380/2',
};

/** The container of the service in a rendered chart. */
export function serviceContainer(rendered: Rendered): JsonObject {
  const deployment = rendered.objects.find(
    (object) => object['kind'] === 'Deployment' && !String(at(object, 'metadata', 'name')).endsWith('-redis'),
  );
  const pod = deployment === undefined ? null : podOf(deployment);
  const container = pod === null ? undefined : containersOf(pod).find((each) => each['name'] === 'countersign');
  if (container === undefined) throw new Error('no container of the service');
  return container;
}

/** Its environment as Kubernetes makes it: Secrets put in, and `$(NAME)` of what stands before. */
export function environmentOf(container: JsonObject): Record<string, string> {
  const env: Record<string, string> = {};
  const list = container['env'];
  for (const entry of Array.isArray(list) ? list.filter(isJsonObject) : []) {
    const key = at(entry, 'valueFrom', 'secretKeyRef', 'key');
    const text = key === undefined ? String(entry['value']) : SECRETS[String(key)];
    if (text === undefined) throw new Error(`the tests have no secret for ${key}`);
    env[String(entry['name'])] = text.replace(/\$\((\w+)\)/g, (whole, name) => env[name] ?? whole);
  }
  return env;
}

/** The configuration that the service would have in the pod, read by its own loader: the file of the ConfigMap and the environment. */
export function chartConfig(rendered: Rendered): Config {
  const name = String(at(rendered.objects.find((object) => object['kind'] === 'Deployment') ?? {}, 'metadata', 'name')).replace(
    /-redis$/,
    '',
  );
  const text = String(at(one(rendered, 'ConfigMap', name), 'data', 'countersign.yaml'));
  const env = environmentOf(serviceContainer(rendered));
  const folder = mkdtempSync(join(tmpdir(), 'countersign-chart-config-'));
  try {
    const file = join(folder, 'countersign.yaml');
    writeFileSync(file, text);
    return loadConfig({ file, env, cwd: '/' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
