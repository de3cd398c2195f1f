import type { RedisServer } from './redis.ts';

/** All that the server holds, by name. */
export async function heldBy(redis: RedisServer): Promise<readonly (readonly [string, unknown])[]> {
  // the answer is as it came, in RESP; no key begins as its framing does
  const names = [...String(await redis.command('KEYS', '*')).matchAll(/^[^*$\r\n].*$/gm)].map(([name]) => name.trimEnd()).toSorted();
  return Promise.all(names.map(async (name) => [name, await redis.command('DUMP', name)] as const));
}
