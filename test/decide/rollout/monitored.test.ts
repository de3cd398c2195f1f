import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMonitor, ENFORCED } from '../../../src/decide/monitor.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { buildLine } from '../../../src/record/build-line.ts';
import { createMetrics } from '../../../src/record/metrics.ts';
import { status } from '../../record/records.ts';
import { SILENT } from '../fixtures.ts';
import { bundleOf, createRollout, type RolloutWorld } from './world.ts';

/* The path in monitor mode: what is recorded is what was decided, and not what was answered. */

let world: RolloutWorld;
const request = { pep: { ...SMOKE_FACTS.request.pep, enforce: false as const } };
beforeAll(async () => {
  const rego =
    'default decision := {"effect": "deny", "reasons": ["a.closed"]}\n\ndecision := 7 if input.request.path == "/broken"\n\ndecision := {"effect": "allow"} if input.request.path == "/open"';
  const bundle = await bundleOf('a1', rego);
  const upstream = { headers: true, removeAuthorization: false };
  world = await createRollout({ active: bundle, candidate: bundle, monitor: createMonitor(ENFORCED, upstream, SILENT) });
});
afterAll(() => world.stop());

describe('monitor mode', () => {
  it('a deny passes, and is recorded as one', async () => {
    world.records.length = 0;
    expect(await world.ask('/closed', { request })).toMatchObject({ effect: 'allow', would: 'deny', reasons: [{ code: 'a.closed' }] });
    expect(world.records).toMatchObject([{ decision: { effect: 'deny', response: { status: 403 } }, monitoredBy: 'pep' }]);
    const [record] = world.records;
    expect(record && buildLine(record, 'none')).toMatchObject({ effect: 'deny', enforced: false, monitored_by: 'pep', status: 403 });
  });

  it('a failure to decide passes, and is recorded and counted as one', async () => {
    world.records.length = 0;
    expect(await world.ask('/broken', { request })).toMatchObject({ effect: 'allow', would: 'deny', error: null });
    await world.ask('/closed', { request });
    expect(world.records[0]).toMatchObject({ decision: { effect: 'deny', error: { code: 'policy_result_invalid' } }, monitoredBy: 'pep' });
    const metrics = createMetrics({ version: '1', node: '26', clock: { now: () => 0 }, status: () => status, processMetrics: false });
    for (const record of world.records) metrics.count(record);
    const { text } = await metrics.scrape();
    expect(text).toContain('countersign_monitored_total{by="pep",would="failed"} 1');
    expect(text).toContain('countersign_monitored_total{by="pep",would="deny"} 1');
    expect(text).toContain('countersign_decisions_total{effect="deny"');
  });

  it('an allow, and a gateway that enforces, are as ever', async () => {
    world.records.length = 0;
    expect((await world.ask('/open', { request })).would).toBeUndefined();
    expect(await world.ask('/closed')).toMatchObject({ effect: 'deny' });
    expect(world.records.map(({ monitoredBy }) => monitoredBy)).toEqual([undefined, undefined]);
  });
});
