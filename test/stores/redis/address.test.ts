import { expect, test } from 'vitest';
import { parseRedisUrl } from '../../../src/stores/redis/address.ts';

test.each([
  ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379, db: 0 }],
  ['redis://redis.example:6380/2', { host: 'redis.example', port: 6380, db: 2 }],
  ['redis://:p%40ss%2Fword@[::1]:6379/', { host: '::1', port: 6379, db: 0, password: 'p@ss/word' }],
  [
    'rediss://user:secret@redis.example',
    { host: 'redis.example', port: 6379, db: 0, username: 'user', password: 'secret', tls: { servername: 'redis.example' } },
  ],
])('%s', (url, target) => {
  expect(parseRedisUrl(url)).toEqual(target);
});
