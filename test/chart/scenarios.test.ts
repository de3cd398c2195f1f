import { afterAll, describe, expect, test } from 'vitest';
import { KUBERNETES_VERSIONS } from '../../scripts/tools/kubernetes-validate.mjs';
import { chartConfig, serviceContainer } from '../support/chart-config.ts';
import { at, containersOf, createHelm, names, podsOf, SCENARIOS } from '../support/helm.ts';
import { validateObjects } from '../support/kubernetes-schemas.ts';
import { podProblems } from '../support/pod-security.ts';
import { CUSTOM_RESOURCES } from './custom-resources.ts';

const helm = createHelm();
afterAll(() => helm.close());

test('there is a scenario for each way to run it', () => {
  expect(SCENARIOS).toEqual([
    'development',
    'envoy-gateway',
    'geoip',
    'istio',
    'istio-mesh',
    'minimal',
    'production',
    'redis-cluster',
    'sidecar',
  ]);
});

test('the default values pass the strict linter', async () => {
  expect(await helm.lint()).toMatchObject({ ok: true });
});

test('every built-in object of every scenario is one for each version of Kubernetes', async () => {
  const rendered = await Promise.all(SCENARIOS.map((scenario) => helm.render({ scenario })));
  const objects = rendered.flatMap((one) => one.objects).filter(({ apiVersion, kind }) => !(`${apiVersion} ${kind}` in CUSTOM_RESOURCES));
  const { problems, compared } = await validateObjects(objects);
  expect(problems).toEqual([]);
  expect(compared).toBe(objects.length * KUBERNETES_VERSIONS.length);
  expect(objects.length).toBeGreaterThan(60);
});

test('the validator finds what is wrong', async () => {
  const { problems } = await validateObjects([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, date: {} },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'b' }, spec: { replicas: 'two', selector: {}, template: {} } },
    { apiVersion: 'example.org/v1', kind: 'Unheard', metadata: { name: 'c' } },
  ]);
  expect(problems.filter((line) => line.startsWith('1.34'))).toEqual([
    expect.stringContaining("ConfigMap/a: : Additional properties are not allowed ('date'"),
    expect.stringContaining('Deployment/b: spec.replicas:'),
    expect.stringContaining('Unheard/c: is of no known kind'),
  ]);
});

describe.each(SCENARIOS)('%s', (scenario) => {
  test('passes the strict linter', async () => {
    expect(await helm.lint(scenario)).toMatchObject({ ok: true });
  });

  test('has each object once, and no Secret', async () => {
    const all = names(await helm.render({ scenario }));
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((name) => name.startsWith('Secret/'))).toEqual([]);
  });

  test('has pods that the profile `restricted` lets in', async () => {
    const { objects } = await helm.render({ scenario });
    const pods = podsOf(objects);
    expect(pods.length).toBeGreaterThan(1);
    expect(pods.flatMap(podProblems)).toEqual([]);
    const user = { runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532 };
    for (const pod of pods) expect(pod['securityContext']).toMatchObject(user);
  });

  test('mounts every volume that it has, and has every one that it mounts', async () => {
    const { objects } = await helm.render({ scenario });
    for (const pod of podsOf(objects)) {
      const list = (value: unknown): string[] => (Array.isArray(value) ? value.map((one) => String(at(one, 'name'))) : []);
      const mounted = new Set(containersOf(pod).flatMap((container) => list(container['volumeMounts'])));
      expect([...mounted].sort()).toEqual(list(pod['volumes']).sort());
    }
  });

  test('has a configuration that the service loads, and no file in it that is not mounted', async () => {
    const rendered = await helm.render({ scenario });
    const config = chartConfig(rendered);
    const mounts = serviceContainer(rendered)['volumeMounts'];
    const paths = Array.isArray(mounts) ? mounts.map((mount) => String(at(mount, 'mountPath'))) : [];
    const files = [...JSON.stringify(config).matchAll(/"(\/(?:etc|var)\/[^"]+)"/g)].map(([, path]) => path ?? '');
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !paths.some((path) => file === path || file.startsWith(`${path}/`)))).toEqual([]);
    expect(config.peps).not.toEqual([]);
  });

  test('makes of other projects only what they know', async () => {
    const { objects } = await helm.render({ scenario });
    for (const object of objects) {
      const form = CUSTOM_RESOURCES[`${object['apiVersion']} ${object['kind']}`];
      if (form !== undefined) expect(form.safeParse(object).error?.issues).toBeUndefined();
    }
  });
});
