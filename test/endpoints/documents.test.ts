import { afterAll, beforeAll, expect, test } from 'vitest';
import { keysDocument } from '../../src/endpoints/documents.ts';
import { type Served, serve } from './fixtures.ts';
import { expectProblem } from './problem.ts';

let served: Served;
let text = '{"keys":[]}';
beforeAll(async () => {
  served = await serve(undefined, { documents: [keysDocument('https://pdp.example/base', () => text)] });
});
afterAll(() => served.listener.stop(1000));
const get = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${served.port}${path}`, init);

test('keys are at the root and below the path of the public URL, as they are now, for whoever asks', async () => {
  for (const path of ['/.well-known/jwks.json', '/base/.well-known/jwks.json']) {
    const answer = await get(path);
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'application/jwk-set+json',
      'max-age=300',
    ]);
    expect(await answer.text()).toBe(text);
    text = `{"keys":[],"n":"${path}"}`;
  }
  const head = await get('/.well-known/jwks.json', { method: 'HEAD' });
  expect([head.headers.get('content-length'), await head.text()]).toEqual([String(text.length), '']);
});

test('nothing else is there, by no other method and in no other spelling', async () => {
  const posted = await get('/.well-known/jwks.json', { method: 'POST' });
  expect(posted.headers.get('allow')).toBe('GET, HEAD');
  await expectProblem(posted, 'method_not_allowed');
  for (const path of ['/.well-known/jwks.json?x', '/.well-known/jwks.json/', '/.well-known/JWKS.json', '/other/.well-known/jwks.json'])
    await expectProblem(await get(path), 'not_found');
  expect(keysDocument('https://pdp.example', () => '').paths).toEqual(['/.well-known/jwks.json']);
});
