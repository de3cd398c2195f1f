import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ALLOW, ask, QUESTION, serve } from './fixtures.ts';

const BODY = JSON.stringify(QUESTION);

/** One question over a kept-alive connection; rejects where the connection fails. */
function askOver(agent: Agent, port: number): Promise<{ status: number; closing: boolean }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': BODY.length };
    const sent = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: '/decide', agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, closing: answer.headers.connection === 'close' }));
    });
    sent.on('error', reject);
    sent.end(BODY);
  });
}

const opened = (port: number) =>
  new Promise<Socket>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => {});
  });
const closed = (socket: Socket) => new Promise<void>((resolve) => (socket.closed ? resolve() : socket.on('close', () => resolve())));

describe('drain', () => {
  test('from the notice on every answer says close, and it goes on answering', async () => {
    const served = await serve();
    expect((await ask(served, QUESTION)).headers.get('connection')).toBe('keep-alive');
    served.listener.notice();
    for (let count = 0; count < 3; count++) {
      const answer = await ask(served, QUESTION);
      expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    }
    const problem = await ask(served, '{');
    expect([problem.status, problem.headers.get('connection')]).toEqual([400, 'close']);
    await served.listener.stop(1000);
  });

  test('under load: notice, wait, stop: no request that was answered or in flight is lost', async () => {
    const served = await serve(() => new Promise((resolve) => setTimeout(() => resolve(ALLOW), 20)));
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let asking = true;
    let sent = 0;
    let answered = 0;
    const worker = async () => {
      while (asking) {
        sent++;
        expect((await askOver(agent, served.port)).status).toBe(200);
        answered++;
      }
    };
    const workers = Array.from({ length: 8 }, worker);
    await new Promise((resolve) => setTimeout(resolve, 100));
    served.listener.notice();
    await new Promise((resolve) => setTimeout(resolve, 100));
    // the gateway has taken us out by now; what has arrived is in flight, and has to end
    asking = false;
    while (served.asked.length < sent) await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all([...workers, served.listener.stop(2000)]);
    expect(answered).toBe(sent);
    expect(answered).toBeGreaterThan(8);
    agent.destroy();
  });

  test('a decision in flight at the stop is answered, and new connections are refused meanwhile', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const served = await serve(() => gate.then(() => ALLOW));
    const answer = ask(served, QUESTION);
    while (served.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const stopped = served.listener.stop(5000);
    await expect(ask(served, QUESTION)).rejects.toThrow();
    release();
    expect((await answer).status).toBe(200);
    await stopped;
  });

  test('sockets without a request do not hold the stop: silent ones, half a header block, an idle kept-alive one', async () => {
    const served = await serve();
    const silent = await opened(served.port);
    const half = await opened(served.port);
    half.write('POST /decide HTTP/1.1\r\nhost: loc');
    const agent = new Agent({ keepAlive: true });
    await askOver(agent, served.port);
    // a bound so long that the test would fail by its own timeout if it were waited for
    await served.listener.stop(600_000);
    await Promise.all([closed(silent), closed(half)]);
    agent.destroy();
  });

  test('what hangs is cut at the bound, and said', async () => {
    const served = await serve(() => new Promise(() => {}));
    const answer = ask(served, QUESTION).then(
      () => 'answered',
      () => 'cut',
    );
    while (served.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await served.listener.stop(50);
    expect(await answer).toBe('cut');
    expect(served.logger.lines.filter((line) => line.event === 'http_drain_cut')).toHaveLength(1);
  });

  test('stopping twice, and stopping what never started, is nothing', async () => {
    const served = await serve();
    await served.listener.stop(100);
    await served.listener.stop(100);
  });
});
