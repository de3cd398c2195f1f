import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { createRelease, HELM_NAMES, type Release, type Stored, storedOf, valuesOf } from '../support/cluster-helm.ts';
import { releaseClaims } from '../support/cluster-pods.ts';
import { at, SCENARIOS } from '../support/helm.ts';
import { differences, withoutAddresses } from '../support/stored-object.ts';

const clean = { ok: true, problems: '' };
let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
  for (const name of ['istio-system', 'istio-ingress']) await server.createNamespace(name);
});
afterAll(() => server.stop());

describe.each(HELM_NAMES)('%s', (helm) => {
  let release: Release;
  let first: readonly Stored[];
  const now = async () => storedOf(server.kube, await release.manifest(), release.namespace);

  beforeAll(async () => {
    release = createRelease(server, helm, `upgrades-${helm.at(-1)}`);
    await server.createNamespace(release.namespace);
    expect(await release.helm('install', ...valuesOf('default'))).toMatchObject(clean);
    first = await now();
  });

  /** After an upgrade: all that belongs to it is there, and nothing of what was there before and does not. */
  async function expectOnly(before: readonly Stored[]): Promise<readonly Stored[]> {
    await releaseClaims(server.kube, release.namespace);
    const after = await now();
    expect(after.flatMap(({ path, rendered, object }) => differences(rendered, object, `${path} `))).toEqual([]);
    const kept = new Set(after.map(({ path }) => path));
    const old = before.map(({ rendered }) => rendered);
    const left = (await storedOf(server.kube, old, release.namespace)).filter(({ path, object }) => object !== null && !kept.has(path));
    expect(left.map(({ path }) => path)).toEqual([]);
    return after;
  }

  test.each(SCENARIOS)('a running release is upgraded from the default values to %s, and rolled back', async (scenario) => {
    expect(await release.helm('upgrade', ...valuesOf(scenario))).toMatchObject(clean);
    const between = await expectOnly(first);
    expect(await release.helm('rollback')).toMatchObject(clean);
    const back = await expectOnly(between);
    const contents = (list: readonly Stored[]) => list.map(({ path, object }) => [path, withoutAddresses(object)]);
    expect(contents(back)).toEqual(contents(first));
  });

  test('and from each scenario to the next, there and back', async () => {
    let before = await now();
    for (const scenario of [...SCENARIOS, ...SCENARIOS.toReversed()]) {
      expect(await release.helm('upgrade', ...valuesOf(scenario))).toMatchObject(clean);
      before = await expectOnly(before);
    }
  });

  describe('pods that scale', () => {
    const replicas = async () => {
      const deployment = (await now()).find(({ rendered }) => rendered['kind'] === 'Deployment');
      return [at(deployment?.rendered, 'spec', 'replicas'), at(deployment?.object, 'spec', 'replicas')];
    };
    const tryUpgrade = (sets: readonly string[], ...flags: readonly string[]) =>
      release.helm('upgrade', ...valuesOf('default'), ...sets.flatMap((set) => ['--set', set]), ...flags);
    const upgrade = async (...sets: readonly string[]) => expect(await tryUpgrade(sets)).toMatchObject(clean);
    /** As the autoscaler does it. */
    const scale = (count: number) =>
      server.kube.must('PATCH', `/apis/apps/v1/namespaces/${release.namespace}/deployments/cs-countersign/scale`, {
        body: { spec: { replicas: count } },
        contentType: 'application/merge-patch+json',
      });

    test('are as many as before when the autoscaler takes over, and as it says from then on', async () => {
      await upgrade('replicas=4');
      expect(await replicas()).toEqual([4, 4]);
      await upgrade('autoscaling.enabled=true');
      expect(await replicas()).toEqual([4, 4]);
      await scale(9);
      await upgrade('autoscaling.enabled=true', 'config.log.level=warn');
      expect(await replicas()).toEqual([9, 9]);
      if (helm === 'Helm 4') {
        // the number is the autoscaler's, and has to be taken from it in so many words
        expect(await tryUpgrade(['replicas=3'])).toMatchObject({ ok: false, problems: expect.stringContaining('.spec.replicas') });
        expect(await tryUpgrade(['replicas=3'], '--force-conflicts')).toMatchObject(clean);
      } else await upgrade('replicas=3');
      expect(await replicas()).toEqual([3, 3]);
      await upgrade('autoscaling.enabled=true', 'autoscaling.minReplicas=5');
      expect(await replicas()).toEqual([5, 5]);
    });

    test('are left to an autoscaler that was there from the beginning', async () => {
      expect(await release.helm('uninstall')).toMatchObject(clean);
      expect(await release.helm('install', ...valuesOf('default'), '--set', 'autoscaling.enabled=true')).toMatchObject(clean);
      expect(await replicas()).toEqual([undefined, 1]);
      await scale(9);
      await upgrade('autoscaling.enabled=true', 'config.log.level=warn');
      expect(await replicas()).toEqual([undefined, 9]);
      expect(await release.helm('rollback')).toMatchObject(clean);
      expect(await replicas()).toEqual([undefined, 9]);
    });
  });
});
