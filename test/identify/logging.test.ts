import { expect, test } from 'vitest';
import type { Logger } from '../../src/contract/stages.ts';
import { createBench, createSigningKey, identityOptions, issuerOptions, makeToken, startKeyServer } from './fixtures.ts';

const CANARY = 'canary-4711';

/** Lines of all levels, as text. */
function createMemory(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (event: string, fields?: unknown) => {
    lines.push(`${level} ${event} ${JSON.stringify(fields)}`);
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

test('[asks 83] no credential and no foreign document reaches the log at any level', async () => {
  const key = await createSigningKey('k1');
  const server = await startKeyServer([key]);
  const logger = createMemory();
  const issuers = [issuerOptions({ jwksUrl: server.url, algorithms: ['ES256'] })];
  const bench = createBench(identityOptions(issuers, { keyWaitMs: 2000 }), { logger, keyTiming: { backoffMs: [1], cooldownMs: 1 } });
  await bench.identifier.start();
  const token = await makeToken(key, { sub: CANARY, jti: CANARY });
  const stranger = await makeToken({ ...key, kid: CANARY }, { sub: CANARY });
  await bench.judge(token);
  await bench.judge(`${token}${CANARY}`);
  await bench.judge(stranger);
  await bench.identify({
    authorization: [`Basic ${CANARY}`],
    claims: { sub: CANARY },
    certificates: [{ form: 'xfcc', header: `URI=${CANARY}` }],
  });
  for (const mode of ['html', 'error', 'empty'] as const) {
    server.mode = mode;
    await bench.judge(await makeToken({ ...key, kid: CANARY }, { sub: mode }));
  }
  bench.identifier.stop();
  await server.stop();
  expect(logger.lines.filter((line) => line.includes('keys_fetch_failed')).length).toBeGreaterThan(0);
  expect(logger.lines.filter((line) => line.includes(CANARY) || line.includes('maintenance') || line.includes('eyJ'))).toEqual([]);
});

test('an outage is one warning, and its end is told', async () => {
  const key = await createSigningKey('k1');
  const server = await startKeyServer([key]);
  server.mode = 'error';
  const logger = createMemory();
  const bench = createBench(identityOptions([issuerOptions({ jwksUrl: server.url })]), {
    logger,
    keyTiming: { backoffMs: [1], cooldownMs: 1 },
  });
  await bench.identifier.start();
  while (server.asked.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
  server.mode = 'ok';
  while (bench.identifier.status().keySets[0]?.state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5));
  bench.identifier.stop();
  await server.stop();
  const events = logger.lines.filter((line) => !line.startsWith('debug')).map((line) => line.split(' ', 2).join(' '));
  expect(events).toEqual(['warn keys_fetch_failed', 'info keys_fetched']);
});
