import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorld, type World } from '../gateway/world.ts';
import type { Countersign } from '../support/countersign.ts';

const WARM_UP = 100_000;
const DECISIONS = 200_000;
const IN_FLIGHT = 32;
const GROWTH_MAX_MIB = 20;

let world: World;
let service: Countersign;
let tokens: string[];
const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });

beforeAll(async () => {
  world = await createWorld();
  service = await world.service({ decisions: { log: { sink: 'none' } } });
  tokens = await Promise.all(Array.from({ length: 50 }, () => world.bearer('agent-a', 'orders:read')));
});
afterAll(async () => {
  agent.destroy();
  await world.stop();
});

/** Resident memory of the service, in MiB. */
function residentMib(): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** One question; tokens, paths and addresses repeat, so that what may be kept is bounded after the warm-up. */
function ask(index: number): Promise<number> {
  const body = JSON.stringify({
    request: {
      ...{ method: 'GET', scheme: 'https', host: 'api.example.com', path: `/orders/${index % 1000}?page=${index % 7}` },
      headers: { authorization: tokens[index % tokens.length], 'user-agent': `agent/${index % 10}` },
    },
    source: { ip: `203.0.113.${index % 256}` },
  });
  return new Promise((resolve, reject) => {
    const options = { agent, port: service.httpPort, host: '127.0.0.1', method: 'POST', path: '/decide' };
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ ...options, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Asks `count` questions, `IN_FLIGHT` at a time; the statuses that came. */
async function askMany(count: number): Promise<Set<number>> {
  const statuses = new Set<number>();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) statuses.add(await ask(next++));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return statuses;
}

test(`[asks 45] ${DECISIONS} decisions do not grow the memory of a warm service`, async () => {
  await askMany(WARM_UP);
  const before = residentMib();
  expect(await askMany(DECISIONS)).toEqual(new Set([200]));
  const after = residentMib();
  console.log(`resident memory: ${before.toFixed(1)} MiB warm, ${after.toFixed(1)} MiB after ${DECISIONS} decisions`);
  expect(after - before).toBeLessThan(GROWTH_MAX_MIB);
});
