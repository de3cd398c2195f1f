import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { baseBundle } from '../decide/fixtures.ts';
import { withManifest } from '../decide/signed-bundles.ts';
import { serveBundle } from '../support/bundle-server.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';

/* The real process over the life of a policy: no source, a source, a broken one, and a restart without one. */

const OPERATOR = 'an-operator-token-of-the-tests';

let r1: Uint8Array;
let r2: Uint8Array;
beforeAll(async () => {
  const base = await baseBundle();
  r1 = await withManifest(base, { revision: 'r1' });
  r2 = await withManifest(base, { revision: 'r2' });
});

async function get(service: Countersign, path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const headers = { authorization: `Bearer ${OPERATOR}` };
  const response = await fetch(`http://127.0.0.1:${service.operationsPort}${path}`, { headers });
  return { status: response.status, body: Object(await response.json()) };
}

async function decide(service: Countersign): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request: { method: 'GET', host: 'api.example', path: '/health' } }),
  });
  expect(response.status).toBe(200);
  return response.json();
}

const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 50 });

test('[asks 53, 54, 55] from no source to a restart without one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-life-'));
  const served = await serveBundle(r1);
  served.answer((_, response) => response.writeHead(503).end());
  const start = (until: 'live' | 'ready') =>
    startCountersign({
      until,
      config: {
        operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update(OPERATOR).digest('hex') }] },
        state: { directory },
        policy: { bundle: served.url, polling: { minMs: 100, maxMs: 200, waitMs: 0 } },
        decisions: { log: { sink: 'none' } },
      },
    });
  const policy = async (service: Countersign): Promise<unknown> => (await get(service, '/status')).body['policies'];

  const first = await start('live');
  try {
    expect(await get(first, '/readyz')).toMatchObject({ status: 503, body: { parts: { policy: 'not_loaded' } } });
    expect(await decide(first)).toMatchObject({ decision: 'deny', error: { code: 'policy_not_loaded' } });
    served.answer(null);
    await soon(async () => expect(await get(first, '/readyz')).toMatchObject({ status: 200 }));
    expect(await decide(first)).toMatchObject({ decision: 'allow', policy: { revision: 'r1' } });
    served.publish(r2);
    await soon(async () => expect(await policy(first)).toMatchObject([{ revision: 'r2', running_on: 'source', expected_revision: 'r2' }]));
    served.answer((_, response) => response.end('no bundle'));
    await soon(async () =>
      expect(await policy(first)).toMatchObject([
        { revision: 'r2', running_on: 'last_known_good', last_error: { code: 'bundle_unreadable' } },
      ]),
    );
    expect(await decide(first)).toMatchObject({ decision: 'allow', policy: { revision: 'r2' } });
    const metrics = await (await fetch(`http://127.0.0.1:${first.operationsPort}/metrics`)).text();
    expect(metrics).toContain('countersign_policy_running_on{policy="default",running_on="last_known_good"} 1');
  } finally {
    expect(await first.stop()).toMatchObject({ code: 0 });
  }

  const second = await start('ready');
  try {
    expect(await policy(second)).toMatchObject([{ revision: 'r2', running_on: 'last_known_good' }]);
    expect(await decide(second)).toMatchObject({ decision: 'allow', policy: { revision: 'r2' } });
  } finally {
    await second.stop();
  }

  const kept = join(directory, 'policies', 'default');
  for (const name of readdirSync(kept)) writeFileSync(join(kept, name), 'damaged');
  const third = await start('live');
  try {
    await soon(async () => expect(await get(third, '/readyz')).toMatchObject({ status: 503, body: { parts: { policy: 'not_loaded' } } }));
    await soon(async () => expect(third.output()).toContain('policy.json'));
    served.answer(null);
    await soon(async () => expect(await policy(third)).toMatchObject([{ revision: 'r2', running_on: 'source', last_error: null }]));
  } finally {
    await third.stop();
    rmSync(directory, { recursive: true });
  }
}, 120_000);
