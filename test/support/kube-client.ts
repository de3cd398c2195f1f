import { Agent, request } from 'node:https';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { at, nameOf } from './helm.ts';

export type KubeAnswer = {
  readonly status: number;
  readonly body: JsonObject;
  /** Texts of the header `Warning`: what the API server takes, and thinks wrong. */
  readonly warnings: readonly string[];
};

export type KubeQuestion = { readonly body?: JsonObject; readonly contentType?: string };

/** One kind of object, as the API server lists it. */
export type KubeResource = { readonly path: string; readonly name: string; readonly kind: string; readonly namespaced: boolean };

/** The API server, asked over HTTPS with a bearer token. */
export interface KubeClient {
  ask(method: string, path: string, question?: KubeQuestion): Promise<KubeAnswer>;
  /** As `ask`, where any answer but 2xx is an error that shows it. */
  must(method: string, path: string, question?: KubeQuestion): Promise<KubeAnswer>;
  /** Where an object lies, in its own namespace or else in this one. */
  pathOf(object: JsonObject, namespace: string): Promise<string>;
  /** Every kind that it serves now and that can be listed. */
  resources(): Promise<readonly KubeResource[]>;
  close(): void;
}

export function createKubeClient({ port, ca, token }: { readonly port: number; readonly ca: string; readonly token: string }): KubeClient {
  const agent = new Agent({ keepAlive: true, ca, servername: 'localhost' });
  const known = new Map<string, readonly KubeResource[]>();

  function ask(method: string, path: string, { body, contentType = 'application/json' }: KubeQuestion = {}): Promise<KubeAnswer> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      authorization: `Bearer ${token}`,
      ...(bytes === undefined ? {} : { 'content-type': contentType, 'content-length': bytes.length }),
    };
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers, agent, timeout: 30_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const warning = response.headers['warning'] ?? '';
          const warnings = [...warning.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text);
          resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()), warnings });
        });
      });
      asked.on('timeout', () => asked.destroy(new Error(`${method} ${path} was not answered within 30 s`)));
      asked.on('error', reject);
      asked.end(bytes);
    });
  }

  async function must(method: string, path: string, question: KubeQuestion = {}): Promise<KubeAnswer> {
    const answer = await ask(method, path, question);
    if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  }

  async function kindsOf(apiVersion: string): Promise<readonly KubeResource[]> {
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const list = (await must('GET', path)).body['resources'];
    return (Array.isArray(list) ? list.filter(isJsonObject) : []).flatMap((one) => {
      const [name, verbs] = [String(one['name']), one['verbs']];
      const isWhole = !name.includes('/') && Array.isArray(verbs) && verbs.includes('list');
      return isWhole ? [{ path, name, kind: String(one['kind']), namespaced: one['namespaced'] === true }] : [];
    });
  }

  async function pathOf(object: JsonObject, namespace: string): Promise<string> {
    const version = String(object['apiVersion']);
    const has = (kinds: readonly KubeResource[] = []) => kinds.find(({ kind }) => kind === object['kind']);
    if (has(known.get(version)) === undefined) known.set(version, await kindsOf(version));
    const found = has(known.get(version));
    if (found === undefined) throw new Error(`the API server knows no ${version} ${object['kind']}`);
    return `${pathIn(found, String(at(object, 'metadata', 'namespace') ?? namespace))}/${nameOf(object)}`;
  }

  async function resources(): Promise<readonly KubeResource[]> {
    const groups = (await must('GET', '/apis')).body['groups'];
    const versions = (Array.isArray(groups) ? groups : []).map((group) => String(at(group, 'preferredVersion', 'groupVersion')));
    return (await Promise.all(['v1', ...versions].map(kindsOf))).flat();
  }

  return { ask, must, pathOf, resources, close: () => agent.destroy() };
}

/** Where the objects of a kind lie. */
export function pathIn({ path, name, namespaced }: KubeResource, namespace: string): string {
  return namespaced ? `${path}/namespaces/${namespace}/${name}` : `${path}/${name}`;
}

/** Plain text (of `/readyz`) is an object without members. */
function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
