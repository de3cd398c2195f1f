import { afterEach, expect, it } from 'vitest';
import { fetchKeys } from '../../src/client/fetch-keys.ts';
import { type Behaviour, says, startLyingServer } from './lying-server.ts';

const running: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
async function fetchFrom(behaviour: Behaviour): Promise<string> {
  const server = await startLyingServer(behaviour);
  running.push(server);
  return Buffer.from(await fetchKeys(`${server.url}/keys`, { timeoutMs: 200, bytesMax: 1000 })).toString();
}

it('keys are the body of a 200', async () => {
  expect(await fetchFrom(says('{"keys":[]}'))).toBe('{"keys":[]}');
});

it.each([
  ['another status', says('{"keys":[]}', 404)],
  ['a redirect', (response) => void response.writeHead(302, { location: '/other' }).end()],
  ['more than may be', says('x'.repeat(1001))],
  [
    'a stream without an end',
    (response) => {
      const timer = setInterval(() => response.write('x'.repeat(100)), 1);
      response.on('close', () => clearInterval(timer));
    },
  ],
  ['silence', () => undefined],
  ['half an answer', (response) => response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy())],
] satisfies [string, Behaviour][])('%s is no key set', async (_what, behaviour) => {
  await expect(fetchFrom(behaviour)).rejects.toThrow();
});
