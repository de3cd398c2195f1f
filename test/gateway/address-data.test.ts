import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { writeMmdb } from '../../scripts/mmdb-writer.ts';
import { OPA_BIN, POLICIES } from '../decide/fixtures.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';

/* The real process while the file of its database is replaced under it: decisions, /status and /metrics. */

const TOKEN = 'operator-of-the-address-data-test';
const folder = mkdtempSync(join(tmpdir(), 'countersign-address-data-'));
const file = join(folder, 'country.mmdb');
let service: Countersign;

function database(country: string, builtAt: number): Buffer {
  return writeMmdb({ '203.0.113.0/24': { country: { iso_code: country } } }, { type: 'Test-Country', ipVersion: 6, buildEpoch: builtAt });
}

/** As an installer does it: beside, then renamed. */
function replace(bytes: Buffer): void {
  writeFileSync(`${file}.next`, bytes);
  renameSync(`${file}.next`, file);
}

const Status = z.object({
  enrich: z.object({
    databases: z.array(z.object({ state: z.string(), built_at: z.number().nullable(), last_error: z.string().nullable() })),
  }),
});

async function status() {
  const answer = await fetch(`http://127.0.0.1:${service.operationsPort}/status`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return Status.parse(await answer.json()).enrich.databases[0];
}

async function decision(): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      request: { method: 'GET', scheme: 'https', host: 'api.example', path: '/health' },
      source: { ip: '203.0.113.7' },
    }),
  });
  const { decision, reasons } = z
    .object({ decision: z.string(), reasons: z.array(z.object({ code: z.string() })) })
    .parse(await answer.json());
  return [decision, reasons[0]?.code];
}

beforeAll(async () => {
  writeFileSync(file, database('DE', 1_700_000_000));
  service = await startCountersign({
    config: {
      policy: { bundle: POLICIES, opaBin: OPA_BIN },
      network: { databases: [file], registry: false },
      operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update(TOKEN).digest('hex') }] },
    },
  });
});
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

test('[asks 77] a renamed file decides, and shows its date, in less than ten seconds', async () => {
  expect(await status()).toEqual({ state: 'ready', built_at: 1_700_000_000, last_error: null });
  expect(await decision()).toEqual(['allow', expect.any(String)]);
  replace(database('KP', 1_750_000_000));
  await expect.poll(status, { timeout: 9500, interval: 100 }).toEqual({ state: 'ready', built_at: 1_750_000_000, last_error: null });
  expect(await decision()).toEqual(['deny', 'network.country_blocked']);
});

test('[asks 76] half a file written over it leaves the old one deciding, and shows', async () => {
  const next = database('DE', 1_760_000_000);
  writeFileSync(file, next.subarray(0, next.length >> 2));
  await expect
    .poll(status, { timeout: 9500, interval: 100 })
    .toEqual({ state: 'stale', built_at: 1_750_000_000, last_error: 'format_unknown' });
  expect(await decision()).toEqual(['deny', 'network.country_blocked']);
  const metrics = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
  expect(metrics).toContain('countersign_database_state{database="country.mmdb",state="stale"} 1');
  expect(metrics).toContain('countersign_database_build_timestamp_seconds{database="country.mmdb"} 1750000000');
  expect(metrics).toMatch(/countersign_database_build_age_seconds\{database="country.mmdb"\} \d+/);
  expect(service.output()).toContain('"code":"format_unknown"');
  replace(next);
  await expect.poll(status, { timeout: 9500, interval: 100 }).toMatchObject({ state: 'ready', built_at: 1_760_000_000 });
  expect(readFileSync(file).equals(next)).toBe(true);
  expect(await decision()).toEqual(['allow', expect.any(String)]);
});
