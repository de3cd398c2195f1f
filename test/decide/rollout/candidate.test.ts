import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { KeptPolicy, KeptState } from '../../../src/decide/kept-policy.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { bundleOf, createRollout, type RolloutWorld, sourceOf } from './world.ts';

let active: Uint8Array;
let candidate: Uint8Array;
let failing: Uint8Array;
let world: RolloutWorld | null = null;
beforeAll(async () => {
  active = await bundleOf('a1', 'decision := {"effect": "allow", "reasons": ["a.granted"]}');
  candidate = await bundleOf(
    'c1',
    'default decision := {"effect": "allow", "reasons": ["a.granted"]}\n\ndecision := {"effect": "deny", "reasons": ["a.ninth"]} if input.request.path == "/9"',
  );
  failing = await bundleOf('f1', 'decision := {"effect": "allow"} if input.request.path == "/never"');
});
afterEach(() => world?.stop());

const start = async (given: Omit<Parameters<typeof createRollout>[0], 'active'>) => {
  world = await createRollout({ active, ...given });
  return world;
};
const candidateIn = ({ set }: RolloutWorld) => set.status()[0]?.candidate;
const clients = Array.from({ length: 60 }, (_, index) => `agent-${index}`);

describe('shadow', () => {
  it('[asks 88] a candidate that differs on one of ten requests changes no answer, and is one diff', async () => {
    const { ask, later, diffs, ...rest } = await start({ candidate, shadow: { share: 1 } });
    for (let index = 0; index < 10; index += 1) {
      expect(await ask(`/${index}`)).toMatchObject({ effect: 'allow', policy: { revision: 'a1' } });
    }
    later();
    expect(world && candidateIn(world)).toMatchObject({
      state: 'ready',
      revision: 'c1',
      shadow: {
        results: { same: 9, differs: 1, failed: 0, dropped: 0 },
        diffs: [{ from: 'allow', to: 'deny', reason: 'a.ninth', count: 1 }],
      },
    });
    expect(diffs).toMatchObject([{ reason: 'a.ninth', candidate: { effect: 'deny', policy: { revision: 'c1' } } }]);
    expect(diffs[0]?.record.request.http?.path).toBe('/9');
    expect(rest.records).toHaveLength(10);
  });

  it('nothing is evaluated before the answer has gone', async () => {
    const { ask, later } = await start({ candidate, shadow: { share: 1 } });
    await ask('/9');
    expect(world && candidateIn(world)?.shadow).toMatchObject({ queued: 1, results: { differs: 0 } });
    later();
    expect(world && candidateIn(world)?.shadow).toMatchObject({ queued: 0, results: { differs: 1 } });
  });

  it('a candidate that cannot decide is counted, and nobody sees it', async () => {
    const { ask, later, diffs } = await start({ candidate: failing, shadow: { share: 1 } });
    expect(await ask('/1')).toMatchObject({ effect: 'allow', error: null });
    later();
    expect(world && candidateIn(world)?.shadow).toMatchObject({ results: { failed: 1, differs: 0 }, lastError: 'policy_result_invalid' });
    expect(diffs).toEqual([]);
  });

  it('a candidate that wants sources asked has nothing to compare', async () => {
    const collecting = await bundleOf('k1', 'decision := {"effect": "deny", "collect": ["introspection"]}');
    const { ask, later } = await start({ candidate: collecting, shadow: { share: 1 } });
    await ask('/1');
    later();
    expect(world && candidateIn(world)?.shadow.results).toMatchObject({ not_comparable: 1, differs: 0 });
  });

  it('what is lifted is counted by the reason that it had', async () => {
    world = await createRollout({ active: candidate, candidate: active, shadow: { share: 1 } });
    await world.ask('/9');
    world.later();
    expect(candidateIn(world)?.shadow.diffs).toEqual([{ from: 'deny', to: 'allow', reason: 'a.ninth', count: 1 }]);
  });

  it('takes a share, and drops and counts what is more than the queue holds', async () => {
    let at = 0;
    const { ask, later } = await start({ candidate, shadow: { share: 0.5, queueMax: 2 }, random: () => (at++ % 2 === 0 ? 0.4 : 0.5) });
    for (let index = 0; index < 8; index += 1) await ask('/1');
    later();
    expect(world && candidateIn(world)?.shadow.results).toMatchObject({ same: 2, dropped: 2 });
  });

  it('takes no more time than it may', async () => {
    let nowMs = 0;
    const clock = { now: () => 1_780_308_000_000, monotonic: () => nowMs };
    const { ask, later, set } = await start({ candidate, shadow: { share: 1, budgetMs: 1 }, clock });
    const ticking = vi.fn(() => {
      nowMs += 0.7;
      return nowMs;
    });
    for (let index = 0; index < 5; index += 1) await ask('/1');
    clock.monotonic = ticking;
    later();
    const { same = 0, dropped = 0 } = set.status()[0]?.candidate?.shadow.results ?? {};
    expect(same).toBeGreaterThan(0);
    expect(dropped).toBeGreaterThan(0);
    expect(same + dropped).toBe(5);
  });

  it('writes so many differences a second, and counts all', async () => {
    const { ask, later, diffs } = await start({ candidate, shadow: { share: 1, diffsPerSecond: 2 } });
    for (let index = 0; index < 5; index += 1) await ask('/9');
    later();
    expect(diffs).toHaveLength(2);
    expect(world && candidateIn(world)?.shadow).toMatchObject({ results: { differs: 5 }, unwritten: 3 });
  });

  it('with a share of 0 nothing waits', async () => {
    const { ask } = await start({ candidate });
    await ask('/9');
    expect(world && candidateIn(world)?.shadow).toMatchObject({ queued: 0, results: { differs: 0, dropped: 0 } });
  });
});

describe('canary', () => {
  it('a part of the clients gets the decisions of the candidate, always the same part', async () => {
    const { ask, set } = await start({ candidate, canary: { percent: 30 } });
    const sideOf = async (client: string) => (await ask('/9', { client })).policy.revision;
    const first = await Promise.all(clients.map(sideOf));
    expect(new Set(first)).toEqual(new Set(['a1', 'c1']));
    expect(await Promise.all(clients.map(sideOf))).toEqual(first);
    const inCanary = first.filter((revision) => revision === 'c1').length;
    expect(set.status()[0]?.candidate?.canary).toMatchObject({ percent: 30, decisions: { deny: 2 * inCanary, allow: 0, failed: 0 } });
    world?.stop();
    const wider = await start({ candidate, canary: { percent: 60 } });
    for (const [index, client] of clients.entries()) {
      if (first[index] === 'c1') expect((await wider.ask('/9', { client })).policy.revision).toBe('c1');
    }
  });

  it('a caller that is not in it has the route that was matched already', async () => {
    const { set } = await start({ candidate, canary: { percent: 50 } });
    const selected = set.select({
      ...SMOKE_FACTS.request,
      policyName: 'default',
      pep: { ...SMOKE_FACTS.request.pep, policies: ['default'] },
    });
    if ('refused' in selected) throw new Error(selected.refused);
    const sides = clients.map((client) => {
      const identity = { ...SMOKE_FACTS.identity, subject: { ...SMOKE_FACTS.identity.subject, id: client, client } };
      return selected.forCaller?.(SMOKE_FACTS.request, identity)?.revision ?? null;
    });
    expect(new Set(sides)).toEqual(new Set(['c1', null]));
  });

  it('by the address where there is no verified client', async () => {
    const { ask } = await start({ candidate, canary: { percent: 50 } });
    const sides = async (more: { client: string | null; asserted?: boolean }) =>
      Promise.all(clients.map(async (_, index) => (await ask('/1', { ...more, ip: `203.0.113.${index}` })).policy.revision));
    const byAddress = await sides({ client: null });
    expect(new Set(byAddress).size).toBe(2);
    expect(await sides({ client: 'agent-x', asserted: true })).toEqual(byAddress);
    expect(new Set(await sides({ client: 'agent-x' })).size).toBe(1);
    expect((await ask('/1')).policy.revision).toBe('a1');
  });

  it('a candidate that cannot decide denies, and is seen', async () => {
    const { ask, set, records } = await start({ candidate: failing, canary: { percent: 100 } });
    expect(await ask('/1', { client: 'agent-a' })).toMatchObject({
      effect: 'deny',
      error: { code: 'policy_result_invalid' },
      policy: { revision: 'f1' },
    });
    expect(records).toMatchObject([{ decision: { policy: { revision: 'f1' } } }]);
    expect(set.status()[0]?.candidate?.canary.decisions).toMatchObject({ failed: 1 });
  });

  it('what the candidate decided itself is not compared', async () => {
    const { ask, later } = await start({ candidate, canary: { percent: 100 }, shadow: { share: 1 } });
    await ask('/9', { client: 'agent-a' });
    later();
    expect(world && candidateIn(world)?.shadow.results).toMatchObject({ same: 0, differs: 0, dropped: 0 });
  });

  it('its routes that are not enforced are told where it decides', async () => {
    const routes = { one: { methods: ['GET'], path: '/one', tier: 'low', enforce: false } };
    const lenient = await bundleOf('l1', 'decision := {"effect": "deny"}', routes);
    const { set } = await start({ candidate: lenient, canary: { percent: 1 } });
    expect(set.monitored()).toMatchObject([{ policy: 'default', revision: 'l1', names: ['one'] }]);
    set.stop();
    const shadowed = await start({ candidate: lenient, shadow: { share: 1 } });
    expect(shadowed.set.monitored()).toEqual([]);
  });

  it('without its key nobody gets the candidate, and it is said', async () => {
    const { ask } = await start({ candidate, canary: { percent: 100, secret: null, keyFile: '/nowhere/countersign-canary' } });
    expect(await ask('/9', { client: 'agent-a' })).toMatchObject({ policy: { revision: 'a1' } });
    expect(world && candidateIn(world)?.canary).toMatchObject({ keyError: 'canary_key_invalid' });
  });
});

describe('promotion', () => {
  it('makes the candidate the policy, and rollback goes back; neither brings the candidate up again', async () => {
    const { ask, set } = await start({ candidate, canary: { percent: 100 } });
    await expect(set.promote('default', 'other')).rejects.toMatchObject({ code: 'revision_unknown' });
    await expect(set.promote('default', 'c1')).resolves.toMatchObject({ revision: 'c1' });
    expect(set.status()).toMatchObject([{ revision: 'c1', runningOn: 'activated', candidate: { state: 'resting' } }]);
    expect((await ask('/9')).effect).toBe('deny');
    await set.rollback('default', null);
    expect(await ask('/9', { client: 'agent-a' })).toMatchObject({ effect: 'allow', policy: { revision: 'a1' } });
    expect(set.status()).toMatchObject([{ revision: 'a1', candidate: { state: 'resting', revision: 'c1' } }]);
  });

  it('[asks 88] what was rolled back rests after a restart too', async () => {
    let state: KeptState | null = null;
    const kept: KeptPolicy = {
      load: async () => state,
      save: async (next) => {
        state = next;
      },
    };
    const first = await start({ candidate, canary: { percent: 100 }, kept });
    await first.set.promote('default', null);
    await first.set.rollback('default', null);
    first.stop();
    const second = await start({ candidate, canary: { percent: 100 }, kept });
    expect(second.set.status()).toMatchObject([{ revision: 'a1', candidate: { state: 'resting', revision: 'c1' } }]);
    expect((await second.ask('/9', { client: 'agent-a' })).policy.revision).toBe('a1');
  });

  it('a candidate that is withdrawn rests until its source has another one', async () => {
    const { source, publish } = sourceOf(candidate);
    const { ask, set } = await start({ candidate: source, canary: { percent: 100 } });
    set.withdraw('default');
    expect((await ask('/9', { client: 'agent-a' })).policy.revision).toBe('a1');
    publish(failing);
    await vi.waitFor(() => expect(set.status()).toMatchObject([{ candidate: { state: 'ready', revision: 'f1' } }]));
    expect((await ask('/9', { client: 'agent-a' })).policy.revision).toBe('f1');
  });

  it('there is none to promote', async () => {
    const { set } = await start({ candidate: sourceOf(new Uint8Array([1, 2, 3])).source });
    await expect(set.promote('default', null)).rejects.toMatchObject({ code: 'candidate_missing' });
    expect(() => set.withdraw('default')).toThrow(expect.objectContaining({ code: 'candidate_missing' }));
    await expect(set.promote('other', null)).rejects.toMatchObject({ code: 'policy_unknown' });
    expect(set.status()).toMatchObject([
      { state: 'active', lastError: null, candidate: { state: 'not_loaded', lastError: { code: 'bundle_unreadable' } } },
    ]);
  });
});
