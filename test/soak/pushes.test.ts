import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAdminClient } from '../support/admin-client.ts';
import { type AdminFolder, codesOf, createAdminFolder, decide, startAdminService } from '../support/admin-service.ts';
import type { Countersign } from '../support/countersign.ts';

/* Data is pushed thousands of times while the policy is asked: no decision fails, and the memory stays level. */

const PUSHES = 2000;
const GROWTH_MAX_MIB = 20;
const WINDOW = 100;
/** By then the service has the 10,000 decisions that it keeps to explain, with what it explains those of older revisions by. */
const FULL_AT = 0.4;
/** Between two questions of the load, so that it leaves the preparing of the data its core. */
const PAUSE_MS = 5;
const BLOCKED = 'data/countersign/limits/network/addresses_blocked';

let folder: AdminFolder;
let service: Countersign;
beforeAll(async () => {
  folder = await createAdminFolder();
  service = await startAdminService(folder, 'state');
});
afterAll(async () => {
  await service.stop();
  folder.remove();
});

function residentMib(): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** The middle one of the samples after one: the garbage of one moment is not what grows. */
function around(samplesMib: readonly number[], at: number): number {
  const window = samplesMib.slice(at, at + WINDOW).sort((a, b) => a - b);
  return window[WINDOW / 2] ?? Number.NaN;
}

test(`[asks 52] ${PUSHES} pushes of data under load: each is in force, no decision fails, and the memory stays level`, async () => {
  const admin = createAdminClient(service.operationsPort);
  const failed: unknown[] = [];
  let asking = true;
  const load = (async () => {
    while (asking) {
      const { error } = await decide(service.httpPort, '/health');
      if (error !== undefined) failed.push(error);
      await sleep(PAUSE_MS);
    }
  })();
  const samplesMib: number[] = [];
  for (let index = 1; index <= PUSHES; index++) {
    const address = `192.0.2.${index % 250}`;
    const { status, json } = await admin(BLOCKED, { method: 'PUT', body: [address] });
    const decision = await decide(service.httpPort, '/health', address);
    if (status !== 200 || !codesOf(decision).includes('network.address_blocked')) failed.push({ index, status, json, decision });
    samplesMib.push(residentMib());
  }
  asking = false;
  await load;
  const levelMib = around(samplesMib, PUSHES * FULL_AT);
  const endMib = around(samplesMib, PUSHES - WINDOW);
  console.log(`${PUSHES} pushes: ${levelMib.toFixed(1)} MiB after 40 %, ${endMib.toFixed(1)} MiB at the end`);
  expect(failed).toEqual([]);
  expect(endMib - levelMib).toBeLessThan(GROWTH_MAX_MIB);
}, 2_400_000);
