import { expect, test } from 'vitest';
import { store } from '../../src/config/store.ts';

const url = 'rediss://user:secret@redis-1:6379';

test.each([
  ['one server', { url: `${url}/2` }],
  [
    'sentinels, the group in the place of the host',
    { url: 'redis://:secret@countersign/1', sentinels: ['redis://s1:26379', 'redis://s2'] },
  ],
  ['a cluster by one node', { url, cluster: [] }],
  ['a cluster by several nodes', { url, cluster: ['rediss://user:secret@redis-2:6379/0'] }],
])('%s', (_name, form) => {
  expect(store.safeParse({ kind: 'redis', ...form })).toMatchObject({ success: true, data: form });
});

test.each([
  ['both', { url, sentinels: ['redis://s1'], cluster: [] }, 'cluster'],
  ['a database in a cluster', { url: `${url}/1`, cluster: [] }, 'cluster'],
  ['a cluster with two passwords', { url, cluster: ['rediss://user:other@redis-2'] }, 'cluster'],
  ['a cluster half without TLS', { url, cluster: ['redis://user:secret@redis-2'] }, 'cluster'],
  ['sentinels with two passwords', { url: 'redis://group', sentinels: ['redis://:a@s1', 'redis://:b@s2'] }, 'sentinels'],
])('refused: %s', (_name, form, path) => {
  const result = store.safeParse({ kind: 'redis', ...form });
  expect(result.error?.issues.map((issue) => issue.path[0])).toEqual([path]);
  expect(JSON.stringify(result.error?.issues)).not.toContain('secret');
});
