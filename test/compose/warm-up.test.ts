import { describe, expect, test } from 'vitest';
import { createWarmUp, type WarmUpParts } from '../../src/compose/warm-up.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { createMemoryLogger } from '../endpoints/fixtures.ts';
import { decision } from '../support/grpc-fixture.ts';

/** A service with two policies whose decisions take `ms` each of a clock of the test. */
function parts(changes: Partial<WarmUpParts> & { readonly ms?: number } = {}) {
  const clock = { ms: 0 };
  const asked: { policy: string; client: string | null; request: DecisionRequest }[] = [];
  const logger = createMemoryLogger();
  const policy = (name: string): ActivePolicy => ({
    name,
    revision: 'r1',
    routeOf: () => SMOKE_FACTS.route,
    decide(request, identity) {
      clock.ms += changes.ms ?? 0.1;
      asked.push({ policy: name, client: identity.subject.client, request });
      return { decision: decision({ id: request.id }), input: () => null, evaluationMs: 0, slow: false, cause: null };
    },
  });
  const failed = () => decision({ effect: 'deny' });
  const made: WarmUpParts = {
    policies: { names: ['default', 'payments'], select: ({ pep }) => policy(pep.policies[0] ?? ''), failed },
    identifier: { identify: () => SMOKE_FACTS.identity },
    enricher: {
      databases: [],
      registryCountry: null,
      trustedProxies: [],
      windows: { count: unasked, add: unasked, status: unasked, close: unasked },
      clock: { now: () => 1e12, monotonic: () => clock.ms },
    },
    clock: { now: () => 1e12, monotonic: () => clock.ms },
    logger,
    warmUpMs: 50,
    ...changes,
  };
  return { made, asked, logger, clock };
}

function unasked(): never {
  throw new Error('what the service counts must not be touched');
}

describe('before it is ready', () => {
  test('every policy decides questions of nobody and of a known caller, for as long as it may', async () => {
    const { made, asked, clock, logger } = parts();
    const warmUp = createWarmUp(made);
    expect(warmUp.done()).toBe(false);
    await warmUp.run();
    expect(warmUp.done()).toBe(true);
    expect(new Set(asked.map(({ policy, client }) => `${policy} ${client}`))).toEqual(
      new Set(['default null', 'payments null', 'default warm-up', 'payments warm-up']),
    );
    expect(asked[0]?.request).toMatchObject({ endpoint: 'ext_authz', http: { method: 'GET', path: '/orders/42' } });
    expect(clock.ms).toBeLessThan(60);
    expect(logger.lines).toEqual([{ level: 'info', event: 'warmed_up', fields: { decisions: asked.length, ms: expect.any(Number) } }]);
  });

  test('it ends with so many decisions where they are quick', async () => {
    const { made, asked } = parts({ ms: 0 });
    await createWarmUp(made).run();
    expect(asked).toHaveLength(2000);
  });

  test('none where no time is given', async () => {
    const { made, asked } = parts({ warmUpMs: 0 });
    const warmUp = createWarmUp(made);
    expect(warmUp.done()).toBe(true);
    await warmUp.run();
    expect(asked).toEqual([]);
  });

  test('a signal to end is not held up', async () => {
    const { made, asked } = parts({ ms: 10, warmUpMs: 1e9 });
    const warmUp = createWarmUp(made);
    const ran = warmUp.run();
    warmUp.stop();
    await ran;
    expect(asked.length).toBeLessThan(10);
  });

  test('what fails holds nothing up', async () => {
    const { made, logger } = parts();
    const warmUp = createWarmUp({ ...made, policies: { ...made.policies, select: unasked, failed: unasked } });
    await warmUp.run();
    expect([warmUp.done(), logger.lines.map(({ event }) => event)]).toEqual([true, ['warm_up_failed']]);
  });
});
