import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { createRelease, HELM_NAMES, RELEASE, type Release, type Stored, storedOf, valuesOf } from '../support/cluster-helm.ts';
import { contentsOf, endPod, podsToCreate, releaseClaims } from '../support/cluster-pods.ts';
import { at, objectsOf, SCENARIOS } from '../support/helm.ts';
import { contentOf, differences, unchanging } from '../support/stored-object.ts';

/** Where objects of the scenarios lie beside the release's own namespace. */
const OTHER_NAMESPACES = ['istio-system', 'istio-ingress'];
const DRY = 'dryRun=All&fieldValidation=Strict';
const clean = { ok: true, problems: '' };

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
  for (const name of OTHER_NAMESPACES) await server.createNamespace(name);
  const priority = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'platform-critical' }, value: 1000 };
  await server.kube.must('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', { body: priority });
});
afterAll(() => server.stop());

describe.each(HELM_NAMES)('%s', (helm) => {
  describe.each(['default', ...SCENARIOS])('%s', (scenario) => {
    let release: Release;
    let installed: readonly Stored[];
    const stored = () =>
      storedOf(
        server.kube,
        installed.map(({ rendered }) => rendered),
        release.namespace,
      );
    const contents = (list: readonly Stored[]) => list.map(({ path, object }) => [path, contentOf(object)]);

    beforeAll(async () => {
      release = createRelease(server, helm, `${scenario}-${helm.at(-1)}`);
      await server.createNamespace(release.namespace);
    });

    test('is installed, without a warning', async () => {
      expect(await release.helm('install', ...valuesOf(scenario))).toMatchObject(clean);
      installed = await storedOf(server.kube, await release.manifest(), release.namespace);
      expect(installed.length).toBeGreaterThan(5);
    });

    test('is stored as it was rendered', () => {
      expect(installed.flatMap(({ path, rendered, object }) => differences(rendered, object, `${path} `))).toEqual([]);
    });

    test('has pods that the API server lets in', async () => {
      const hooks = objectsOf((await release.helm('get hooks')).output);
      const pods = podsToCreate([...installed.map(({ rendered }) => rendered), ...hooks]);
      expect(pods.length).toBeGreaterThan(1);
      for (const body of pods) {
        const answer = await server.kube.must('POST', `/api/v1/namespaces/${release.namespace}/pods?${DRY}`, { body });
        expect(answer.warnings).toEqual([]);
      }
    });

    test('differs in nothing from what is applied again', async () => {
      for (const { path, rendered, object } of installed) {
        const question = { body: rendered, contentType: 'application/apply-patch+yaml' };
        const { body, warnings } = await server.kube.must('PATCH', `${path}?${DRY}&fieldManager=test&force=true`, question);
        expect(contentOf(body)).toEqual(contentOf(object));
        expect([path, at(body, 'metadata', 'generation'), warnings]).toEqual([path, at(object, 'metadata', 'generation'), []]);
      }
    });

    test('is upgraded to the same, and no object is written', async () => {
      expect(await release.helm('upgrade', ...valuesOf(scenario))).toMatchObject(clean);
      expect((await stored()).map(({ object }) => unchanging(object))).toEqual(installed.map(({ object }) => unchanging(object)));
    });

    test('passes its test, whose pod is taken away', async () => {
      const pod = `/api/v1/namespaces/${release.namespace}/pods/${RELEASE}-countersign-test`;
      const [tested] = await Promise.all([release.helm('test'), endPod(server.kube, pod)]);
      expect(tested).toMatchObject(clean);
      expect((await server.kube.ask('GET', pod)).status).toBe(404);
    });

    test('is upgraded to a changed configuration, and nothing else is written', async () => {
      expect(await release.helm('upgrade', ...valuesOf(scenario), '--set', 'config.log.level=warn')).toMatchObject(clean);
      const before = new Map(installed.map(({ path, object }) => [path, JSON.stringify(unchanging(object))]));
      const written = (await stored()).filter(({ path, object }) => JSON.stringify(unchanging(object)) !== before.get(path));
      expect(written.map(({ rendered }) => rendered['kind'])).toEqual(['ConfigMap', 'Deployment']);
    });

    test('is rolled back to what it was', async () => {
      expect(await release.helm('rollback', '1')).toMatchObject(clean);
      expect(contents(await stored())).toEqual(contents(installed));
    });

    test('is uninstalled, and leaves nothing', async () => {
      expect(await release.helm('uninstall')).toMatchObject(clean);
      await releaseClaims(server.kube, release.namespace);
      expect((await stored()).filter(({ object }) => object !== null).map(({ path }) => path)).toEqual([]);
      expect(await contentsOf(server.kube, release.namespace)).toEqual([]);
    });
  });
});
