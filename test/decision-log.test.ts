import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/contract/json.ts';
import { copyWith } from './decide/bundles.ts';
import { OPERATORS } from './support/admin-client.ts';
import { decide } from './support/admin-service.ts';
import { type Countersign, startCountersign } from './support/countersign.ts';
import { startCollector } from './support/log-collector.ts';

const MASK = `package system.log

mask contains "/result/request/path"

mask contains {"op": "upsert", "path": "/result/address", "value": "hidden"} if input.result.address

drop if input.result.request.path == "/healthz"
`;

let policies: string;
beforeAll(() => {
  policies = copyWith({ 'log/mask.rego': MASK, '.manifest': JSON.stringify({ roots: ['countersign', 'system/log'], rego_version: 1 }) });
});
afterAll(() => rmSync(policies, { recursive: true }));

async function askOperations(one: Countersign, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${one.operationsPort}/${path}`, { headers: { authorization: 'Bearer viewer-token' } });
  return answer.text();
}

describe('a service whose decisions must be recorded by a collector', () => {
  it('[asks 80, 82] masks what it sends, denies while it cannot send, goes on when it can, and leaves nothing behind', async () => {
    const collector = await startCollector();
    const one = await startCountersign({
      config: {
        operations: { tokens: OPERATORS },
        policy: { bundle: policies },
        peps: [{ name: 'local', anonymous: true, trusts: ['client_address'] }],
        decisions: {
          log: {
            sink: { file: join(policies, '..', `logs-${process.pid}.log`) },
            http: { url: collector.url, batch: { delayMs: 10 }, retry: { minMs: 10, maxMs: 40 }, timeoutMs: 300 },
            audit: 'required',
            labels: { region: 'eu' },
          },
        },
        drain: { noticeMs: 0, boundMs: 3000 },
      },
    });
    try {
      await decide(one.httpPort, '/secret-place');
      await decide(one.httpPort, '/healthz');
      await expect.poll(() => collector.taken.length, { timeout: 10_000 }).toBe(1);
      const [event = {}] = collector.taken;
      expect(event).toMatchObject({
        labels: { app: 'countersign', region: 'eu' },
        requested_by: 'local',
        masked: ['/result/address'],
        result: { address: 'hidden' },
      });
      expect(event['erased']).toEqual(['/result/request/path']);
      expect(JSON.stringify(event)).not.toMatch(/"path":"\/secret|192\.0\.2\.1"/);

      collector.answer(() => 503);
      let last: Record<string, unknown> = {};
      await expect
        .poll(
          async () => {
            last = await decide(one.httpPort, '/a');
            return last['error'];
          },
          { timeout: 20_000 },
        )
        .toEqual({ code: 'audit_unavailable' });
      expect(last).toMatchObject({ decision: 'deny', response: { status: 503 } });
      const status: JsonObject = JSON.parse(await askOperations(one, 'status'));
      expect(status['record']).toMatchObject({
        audit: { state: 'unavailable', local: false },
        sinks: [{ name: 'file' }, { name: 'http', state: 'failing' }],
      });
      // a collector that is away is away from every replica
      expect(JSON.parse(await askOperations(one, 'readyz'))).toMatchObject({ ready: true, parts: { audit: 'unavailable' } });
      expect(await askOperations(one, 'metrics')).toMatch(/^countersign_audit_available 0$/m);

      collector.answer(() => 200);
      await expect.poll(async () => (await decide(one.httpPort, '/b'))['error'] ?? null, { timeout: 20_000 }).toBeNull();
      await decide(one.httpPort, '/last');
      const metrics = await askOperations(one, 'metrics');
      const decisions = [...metrics.matchAll(/^countersign_decisions_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
      expect((await one.stop()).code).toBe(0);
      // all but the one that the policy drops
      expect(collector.taken).toHaveLength(decisions - 1);
      expect(one.output()).toContain('"event":"audit_unavailable"');
    } finally {
      await one.stop();
      rmSync(join(policies, '..', `logs-${process.pid}.log`), { force: true });
    }
  });
});
