import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AdminCall, createAdminClient } from './support/admin-client.ts';
import { type AdminFolder, createAdminFolder, decide, startAdminService, statusOf } from './support/admin-service.ts';
import type { Countersign } from './support/countersign.ts';

let folder: AdminFolder;
let service: Countersign;
let admin: ReturnType<typeof createAdminClient>;

beforeAll(async () => {
  folder = await createAdminFolder();
  service = await startAdminService(folder, 'state');
  admin = createAdminClient(service.operationsPort);
});
afterAll(async () => {
  await service.stop();
  folder.remove();
});

describe('a time-boxed exception', () => {
  const exception = (more: Record<string, unknown> = {}) => ({
    owner: 'ann@example.com',
    reason: 'INC-7',
    address: '198.51.100.9',
    rules: ['network.address_blocked'],
    ends_at: Math.floor(Date.now() / 1000) + 3000,
    ...more,
  });
  const push = (id: string, body: unknown, call: AdminCall = {}) =>
    admin(`data/countersign/limits/exceptions/${id}`, { method: 'PUT', ifNoneMatch: '*', body, ...call });

  test('takes back what a rule says, loudly, and ends', async () => {
    await admin('data/countersign/routes/open', {
      method: 'PUT',
      ifNoneMatch: '*',
      body: { methods: ['GET'], path: '/open', tier: 'low', public: true },
    });
    // the base pack blocks 198.51.100.0/24
    await admin('data/countersign/limits/network', { method: 'DELETE' });
    expect((await decide(service.httpPort, '/open', '198.51.100.9'))['decision']).toBe('deny');
    const pushed = await push('inc-7', exception());
    expect(pushed.status).toBe(201);
    const decision = await decide(service.httpPort, '/open', '198.51.100.9', true);
    expect(decision).toMatchObject({
      decision: 'allow',
      reasons: [
        { code: 'access.public_route' },
        { code: 'exception', details: { exceptions: [{ id: 'inc-7', owner: 'ann@example.com' }] } },
      ],
      policy: { revision: pushed.json['revision'] },
      exceptions: [{ id: 'inc-7', owner: 'ann@example.com', reason: 'INC-7', rules: ['network.address_blocked'] }],
    });
    expect(decision['verdicts']).toContainEqual(
      expect.objectContaining({ code: 'network.address_blocked', effect: 'clear', exempted_from: 'deny', exempted_by: 'inc-7' }),
    );
    expect((await decide(service.httpPort, '/open', '198.51.100.10'))['decision']).toBe('deny');

    const recorded = `"decision_id":"${decision['decision_id']}"`;
    await vi.waitFor(() => expect(service.output()).toContain(recorded), 5000);
    const line = service
      .output()
      .split('\n')
      .find((one) => one.includes(recorded));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      kind: 'decision',
      reasons: ['access.public_route', 'exception'],
      exceptions: [{ id: 'inc-7', owner: 'ann@example.com', reason: 'INC-7' }],
    });
    expect(await statusOf(service)).toMatchObject({
      data: { exceptions: [{ id: 'inc-7', owner: 'ann@example.com', address: '198.51.100.9' }] },
    });
    const metrics = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
    expect(metrics).toContain('countersign_exception_uses_total{exception="inc-7",rule="network.address_blocked"} 1');
    expect(metrics).toContain('countersign_exceptions_active{policy="default"} 1');

    expect((await admin('data/countersign/limits/exceptions/inc-7', { method: 'DELETE' })).status).toBe(200);
    expect((await decide(service.httpPort, '/open', '198.51.100.9'))['decision']).toBe('deny');
  });

  test.each<[string, Record<string, unknown>]>([
    ['for ever', { ends_at: 9_999_999_999 }],
    ['past', { ends_at: 1 }],
    ['of an unknown rule', { rules: ['network.none'] }],
    ['of a rule that allows none', { rules: ['identity.revoked'] }],
    ['of nobody', { address: undefined }],
    ['without an owner', { owner: '' }],
  ])('is refused: %s', async (_name, more) => {
    const { status, json } = await push('bad', exception(more));
    expect([status, json['code']]).toEqual([400, 'exception_invalid']);
    expect(json['field']).toMatch(/^countersign\/limits\/exceptions\/bad/);
  });
});
