import { expect, test } from 'vitest';
import { CLUSTER, SOAK, VERIFY } from '../../scripts/verify/steps.mjs';

const toolsOf = (steps: typeof VERIFY) => steps.filter(({ title }) => title.startsWith('Tool: ')).map(({ id }) => id);

test('the soak, which runs what verify leaves out, has the same tools', () => {
  expect(toolsOf(VERIFY)).toEqual(
    expect.arrayContaining(['opa', 'envoy', 'redis', 'nginx', 'haproxy', 'caddy', 'helm', 'kubernetes-validate', 'promtool']),
  );
  // Helm 4 takes as long to build as Helm 3, and only its long test needs it
  expect(toolsOf(SOAK)).toEqual([...toolsOf(VERIFY), 'helm4', 'schemathesis']);
});

test('what takes a real API server is built for its own run alone', () => {
  expect(toolsOf(CLUSTER)).toEqual(['helm', 'helm4', 'etcd', 'crds', 'kube-apiserver']);
  for (const id of ['etcd', 'crds', 'kube-apiserver']) expect([...toolsOf(VERIFY), ...toolsOf(SOAK)]).not.toContain(id);
});
