// Starting the service as a process of its own, and waiting for what it answers.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, toolEnv } from './project.mjs';
import { Stop } from './run.mjs';

/**
 * A loopback port that nobody listens on now.
 * @returns {Promise<number>}
 */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

/**
 * @param {number} port
 * @returns {Promise<boolean>} whether nobody listens on it on loopback
 */
export function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * `node` itself and not npm: npm would leave it running when it is stopped.
 * @param {readonly string[]} args
 * @param {Record<string, string>} env
 * @returns {import('node:child_process').ChildProcess}
 */
export function startNode(args, env) {
  // One thread beside the one that answers collects its garbage (docs/performance.md).
  const options = ['--v8-pool-size=1'];
  // A group of its own: Ctrl-C in a terminal reaches it only through us, once, so that it drains.
  return spawn('node', [...options, ...args], { cwd: ROOT, env: toolEnv(env), stdio: ['ignore', 'inherit', 'inherit'], detached: true });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: string | null }>}
 */
export function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', () => resolve({ code: 127, signal: null }));
  });
}

/**
 * Waits until `url` answers 200.
 * @param {string} url
 * @param {import('node:child_process').ChildProcess} child whose end ends the waiting
 * @param {number} timeoutMs
 */
export async function answers(url, child, timeoutMs) {
  const giveUpAt = Date.now() + timeoutMs;
  let last = 'no answer';
  while (Date.now() < giveUpAt) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Stop(`The service ended with ${child.signalCode ?? child.exitCode} before ${url} answered 200.`);
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      if (answer.status === 200) return;
      last = `${answer.status} ${(await answer.text()).slice(0, 500)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error); // not listening yet
    }
    await sleep(25);
  }
  throw new Stop(`${url} did not answer 200 within ${timeoutMs / 1000} s: ${last}`);
}
