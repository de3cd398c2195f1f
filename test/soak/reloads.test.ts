import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bundleWith, editBundle } from '../decide/bundles.ts';
import { withManifest } from '../decide/signed-bundles.ts';
import { type BundleServer, serveBundle } from '../support/bundle-server.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';

/* A policy is replaced thousands of times while it is asked: no decision fails, and none is made of two revisions. */

const RELOADS = 2000;
const IN_FLIGHT = 8;
const GROWTH_MAX_MIB = 20;
const WINDOW = 100;
/** What a decision says of itself must be of the revision that it names. */
const SWAP = `package countersign.rules.access.swap

verdict := {"effect": "allow", "factors": [{"code": "swap", "points": data.tenants.swap.number}]} if input.request
`;

let base: Uint8Array;
beforeAll(async () => {
  base = await bundleWith({
    'countersign/rules/access/swap.rego': SWAP,
    '.manifest': '{"roots":["countersign","tenants"],"rego_version":1}',
  });
});

const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
afterAll(() => agent.destroy());

/** The bundle whose decisions all carry the number that its revision ends with. */
async function numbered(index: number): Promise<Uint8Array> {
  const bundle = await editBundle(base, (files) => files.set('tenants/swap/data.json', JSON.stringify({ number: index % 90 })));
  return withManifest(bundle, { revision: `r${index}-${index % 90}` });
}

type Seen = { readonly revision: string; readonly points: number | null; readonly error: unknown };

function ask(service: Countersign): Promise<Seen> {
  const body = JSON.stringify({ request: { method: 'GET', host: 'api.example', path: '/health' } });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const options = { agent, port: service.httpPort, host: '127.0.0.1', method: 'POST', path: '/decide', headers };
    const sent = request(options, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      const { policy, risk, error } = JSON.parse(Buffer.concat(chunks).toString());
      const factor = risk.factors.find(({ code }: { code: string }) => code === 'swap');
      resolve({ revision: policy.revision, points: factor?.points ?? null, error: error ?? null });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function residentMib(service: Countersign): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** The middle one of the samples after one: the garbage of one moment is not what grows. */
function around(samplesMib: readonly number[], at: number): number {
  const window = samplesMib.slice(at, at + WINDOW).sort((a, b) => a - b);
  return window[WINDOW / 2] ?? Number.NaN;
}

/** Publishes a revision, and waits until a decision is made by it; every decision meanwhile is looked at. */
async function swap(service: Countersign, server: BundleServer, index: number, wrong: Seen[]): Promise<number> {
  server.publish(await numbered(index));
  let decisions = 0;
  let reached = false;
  const lane = async (): Promise<void> => {
    while (!reached) {
      const seen = await ask(service);
      decisions++;
      if (seen.error !== null || !seen.revision.endsWith(`-${seen.points}`)) wrong.push(seen);
      reached ||= seen.revision.startsWith(`r${index}-`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return decisions;
}

test(`${RELOADS} reloads under load: no decision fails, each is of one revision, and the memory stays level`, async () => {
  const server = await serveBundle(await numbered(0), { waits: true });
  const polling = { minMs: 100, maxMs: 200, waitMs: 60_000 };
  // how fast the machine is, with all that runs on it, is not what is asked
  const decisions = { deadlineMs: 2000, log: { sink: 'none' } };
  const service = await startCountersign({ config: { policy: { bundle: server.url, polling }, decisions } });
  onTestFinished(async () => {
    await service.stop();
  });
  const wrong: Seen[] = [];
  let decided = 0;
  const samplesMib: number[] = [];
  for (let index = 1; index <= RELOADS; index++) {
    decided += await swap(service, server, index, wrong);
    samplesMib.push(residentMib(service));
  }
  const levelMib = around(samplesMib, RELOADS / 10);
  const endMib = around(samplesMib, RELOADS - WINDOW);
  console.log(`${decided} decisions over ${RELOADS} reloads: ${levelMib.toFixed(1)} MiB after 10 %, ${endMib.toFixed(1)} MiB at the end`);
  expect(wrong).toEqual([]);
  expect(decided).toBeGreaterThan(10_000);
  expect(endMib - levelMib).toBeLessThan(GROWTH_MAX_MIB);
});
