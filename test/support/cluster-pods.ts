import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { at, nameOf, podOf } from './helm.ts';
import type { KubeClient } from './kube-client.ts';

/** Pods as the controllers would make them of these objects, and those that are pods already. */
export function podsToCreate(objects: readonly JsonObject[]): JsonObject[] {
  return objects.flatMap((object) => {
    const spec = podOf(object);
    if (spec === null) return [];
    const isCron = object['kind'] === 'CronJob';
    const template = isCron ? at(object, 'spec', 'jobTemplate', 'spec', 'template') : at(object, 'spec', 'template');
    const of = at(object['kind'] === 'Pod' ? object : template, 'metadata');
    const metadata: JsonObject = { ...(isJsonObject(of) ? of : {}), name: `${nameOf(object)}-tried` };
    return [{ apiVersion: 'v1', kind: 'Pod', metadata, spec }];
  });
}

/** Stands for the kubelet: says of a pod, as soon as it is there, that it ended well. */
export async function endPod(kube: KubeClient, path: string, boundMs = 60_000): Promise<void> {
  const end = Date.now() + boundMs;
  const body = { status: { phase: 'Succeeded' } };
  while ((await kube.ask('PATCH', `${path}/status`, { body, contentType: 'application/merge-patch+json' })).status !== 200) {
    if (Date.now() > end) throw new Error(`${path} was not created in time`);
    await sleep(50);
  }
}

/** Stands for the controller that lets go of a deleted claim once no pod uses it. */
export async function releaseClaims(kube: KubeClient, namespace: string): Promise<void> {
  const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  const items = (await kube.must('GET', claims)).body['items'];
  for (const item of Array.isArray(items) ? items.filter(isJsonObject) : []) {
    if (at(item, 'metadata', 'deletionTimestamp') === undefined) continue;
    const body = { metadata: { finalizers: null } };
    await kube.must('PATCH', `${claims}/${nameOf(item)}`, { body, contentType: 'application/merge-patch+json' });
  }
}

/** Paths of all that is in a namespace but the account that each has, and events. */
export async function contentsOf(kube: KubeClient, namespace: string): Promise<string[]> {
  const kinds = (await kube.resources()).filter(({ namespaced, name }) => namespaced && name !== 'events');
  const lists = await Promise.all(
    kinds.map(async ({ path, name }) => {
      const items = (await kube.must('GET', `${path}/namespaces/${namespace}/${name}`)).body['items'];
      return (Array.isArray(items) ? items : []).map((item) => `${name}/${String(at(item, 'metadata', 'name'))}`);
    }),
  );
  return lists.flat().filter((name) => name !== 'serviceaccounts/default');
}
