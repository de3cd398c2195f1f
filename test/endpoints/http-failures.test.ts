import { describe, expect, test } from 'vitest';
import { ALLOW, ask, QUESTION, sendRaw, serve } from './fixtures.ts';
import { expectProblem } from './problem.ts';

describe('failures', () => {
  test('a body that does not arrive is 408', async () => {
    const slow = await serve(undefined, { bodyTimeoutMs: 100 });
    const head = 'POST /decide HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{';
    const text = await sendRaw(slow.port, head, 2000);
    expect(text).toMatch(/^HTTP\/1.1 408 /);
    expect(text).toContain('"code":"body_timeout"');
    expect(text).toMatch(/connection: close/i);
    await slow.listener.stop(1000);
  });

  test('a body that does not arrive behind an answer gets no second answer', async () => {
    const slow = await serve(undefined, { bodyTimeoutMs: 100 });
    const head = 'POST /decide HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\n{';
    const text = await sendRaw(slow.port, head, 2000);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 415']);
    await slow.listener.stop(1000);
  });

  test('a header block that does not arrive is 408', async () => {
    const slow = await serve(undefined, { bodyTimeoutMs: 100 });
    expect(await sendRaw(slow.port, 'POST /decide HTTP/1.1\r\nhost: local', 2000)).toMatch(/^HTTP\/1.1 408 /);
    await slow.listener.stop(1000);
  });

  test('whatever the PDP throws, now or later, is a 503 and the process goes on', async () => {
    const throws: (() => never)[] = [
      () => {
        throw new Error('secret-canary');
      },
      () => {
        throw 'a string';
      },
    ];
    for (const fail of throws) {
      for (const decide of [fail, () => Promise.resolve().then(fail)]) {
        const broken = await serve(decide);
        const answer = await ask(broken, QUESTION);
        await expectProblem(answer.clone(), 'internal_error');
        expect(await answer.text()).not.toContain('canary');
        expect(broken.logger.lines.filter((line) => line.level === 'error')).toHaveLength(1);
        await broken.listener.stop(1000);
      }
    }
  });

  test('a decision that cannot be written is a 503', async () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const broken = await serve(() => ({ ...ALLOW, explanation: { signals: loop as never, verdicts: null, rules: {} } }));
    await expectProblem(await ask(broken, QUESTION), 'internal_error');
    await broken.listener.stop(1000);
  });

  test('more in flight than allowed is 503 overloaded, and the ones in flight are answered', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const busy = await serve(() => gate.then(() => ALLOW), { inFlightMax: 2 });
    const held = [ask(busy, QUESTION), ask(busy, QUESTION)];
    while (busy.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const third = await ask(busy, QUESTION);
    expect(third.headers.get('retry-after')).toBe('1');
    await expectProblem(third, 'overloaded');
    release();
    for (const answer of await Promise.all(held)) expect(answer.status).toBe(200);
    expect((await ask(busy, QUESTION)).status).toBe(200);
    await busy.listener.stop(1000);
  });

  test('bodies that do not end are held up to a bound, over all connections', async () => {
    const busy = await serve(undefined, { bodyMaxBytes: 4000, bodiesMaxBytes: 6000 });
    const head = 'POST /decide HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 3999\r\n\r\n';
    const unfinished = head + ' '.repeat(3500);
    const first = sendRaw(busy.port, unfinished, 400);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await sendRaw(busy.port, unfinished, 200)).toMatch(/^HTTP\/1\.1 503 .*"code":"overloaded"/s);
    expect(await first).toBe('');
    // what was held went with its connection
    for (let n = 0; n < 5; n++) expect((await ask(busy, QUESTION)).status).toBe(200);
    expect(busy.refused.filter((code) => code === 'overloaded')).toHaveLength(1);
    await busy.listener.stop(1000);
  });

  test('a client that goes away during its decision or its body harms nobody', async () => {
    const busy = await serve(() => new Promise((resolve) => setTimeout(() => resolve(ALLOW), 100)));
    const text = JSON.stringify(QUESTION);
    const head = `POST /decide HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`;
    await sendRaw(busy.port, head + text, 30);
    await sendRaw(busy.port, head + text.slice(0, 5), 30);
    expect((await ask(busy, QUESTION)).status).toBe(200);
    await busy.listener.stop(1000);
  });

  test('a port that is taken refuses the start', async () => {
    const first = await serve();
    await expect(serve(undefined, { port: first.port })).rejects.toMatchObject({ code: 'listen_failed' });
    await first.listener.stop(1000);
  });
});
