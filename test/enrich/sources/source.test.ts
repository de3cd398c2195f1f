import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ExchangeAnswer } from '../../../src/stores/guarded-exchange.ts';
import { NOW_MS } from '../requests.ts';
import { createBench, enrichmentOf, GOLD, json, optionsOf } from './bench.ts';

afterEach(() => vi.useRealTimers());

describe('an answer', () => {
  test('is a signal with the attributes and when it came', async () => {
    const bench = createBench([optionsOf()]);
    expect(await bench.ask()).toEqual({
      status: 'present',
      value: { attributes: { tier: 'gold' }, fetchedAt: Math.floor(NOW_MS / 1000) + 1 },
    });
    expect(bench.asked).toEqual([{ method: 'GET', target: '/clients/agent-1', headers: {}, body: null }]);
  });

  test.each([
    ['absent not_found', json('', 404)],
    ['unavailable status', json({ data: { tier: 'gold' } }, 201)],
    ['unavailable status', json('', 500)],
    ['invalid answer_content_type', json({ data: { tier: 'gold' } }, 200, 'text/html')],
    ['invalid answer_content_type', json({ data: { tier: 'gold' } }, 200, null)],
    ['invalid answer_content_type', json({ data: { tier: 'gold' } }, 200, 'application/jsonx')],
    ['invalid answer_not_json', json('{"data":')],
    ['invalid answer_not_json', json('')],
    ['invalid answer_not_json', json('{"data":{"tier":"gold","tier":"tin"}}')],
    ['invalid answer_not_json', json('{"data":{"tier":"\\ud800"}}')],
    ['invalid answer_not_json', json(`${'['.repeat(40)}${']'.repeat(40)}`)],
    ['invalid attribute_missing', json({})],
    ['invalid attribute_type', json({ data: { tier: 1 } })],
    ['invalid attribute_too_large', json({ data: { tier: 'x'.repeat(2000) } })],
    ['invalid answer_too_large', { ok: false, failure: 'too_large' }],
    ['invalid answer_content_encoding', { ok: false, failure: 'content_encoding' }],
    ['unavailable timeout', { ok: false, failure: 'timeout' }],
    ['unavailable address_not_allowed', { ok: false, failure: 'address_not_allowed' }],
    ['unavailable redirect', { ok: false, failure: 'redirect' }],
  ] as const)('%s', async (told, answer) => {
    const bench = createBench([optionsOf()]);
    bench.answer = () => answer;
    expect(await bench.told()).toBe(told);
  });

  test('a part of ours that throws is a value too', async () => {
    const bench = createBench([optionsOf()]);
    bench.answer = () => Promise.reject(new Error('unexpected'));
    expect(await bench.told()).toBe('unavailable internal');
  });

  test('404 counts as a failure where that is not said otherwise; +json is JSON', async () => {
    const bench = createBench([optionsOf({ notFound: 'unavailable' })]);
    bench.answer = () => json('', 404);
    expect(await bench.told()).toBe('unavailable status');
    bench.answer = () => json({ data: { tier: 'a' } }, 200, 'application/vnd.x.v1+json; charset=utf-8');
    expect(await bench.told()).toBe('{"tier":"a"}');
  });
});

describe('what was said', () => {
  test('serves for so long, and not a moment more', async () => {
    const bench = createBench([optionsOf()]);
    await bench.told();
    bench.clock.atMs += 59_999;
    expect(
      bench.sources.collect(
        ['risk'],
        bench.facts().request,
        { identity: bench.facts().identity, enrichment: enrichmentOf(bench.facts().network) },
        bench.facts().route,
      ),
    ).not.toBeInstanceOf(Promise);
    expect(bench.asked).toHaveLength(1);
    bench.clock.atMs += 1;
    await bench.told();
    expect(bench.asked).toHaveLength(2);
    expect(bench.status()).toMatchObject({ answers: { present: 2, cached: 1 }, entries: 1 });
  });

  test('serves shorter where nothing was found or could not be used, and failures are not kept', async () => {
    const bench = createBench([optionsOf()]);
    for (const answer of [json('', 404), json({})]) {
      bench.answer = () => answer;
      bench.asked.length = 0;
      bench.clock.atMs += 5000;
      await bench.told();
      await bench.told();
      bench.clock.atMs += 5000;
      await bench.told();
      expect(bench.asked).toHaveLength(2);
    }
    bench.answer = () => json('', 500);
    bench.clock.atMs += 5000;
    bench.asked.length = 0;
    await bench.told();
    bench.answer = () => GOLD;
    expect(await bench.told()).toBe('{"tier":"gold"}');
    expect(bench.asked).toHaveLength(2);
  });

  test('is of these values only', async () => {
    const bench = createBench([optionsOf({ url: 'https://pip/{subject.client}/{network.address}' })]);
    const of = (client: string, address: string) =>
      bench.told(bench.facts({ client, network: { status: 'unavailable', code: 'database_broken', address } }));
    await of('a', '192.0.2.1');
    await of('a', '192.0.2.2');
    await of('b', '192.0.2.1');
    await of('a","192.0.2.1', '192.0.2.1');
    await of('a', '192.0.2.1');
    expect(bench.asked).toHaveLength(4);
  });

  test('is not kept with cacheSeconds 0, and never beyond its bytes', async () => {
    const none = createBench([optionsOf({ cacheSeconds: 0 })]);
    await none.told();
    await none.told();
    expect(none.asked).toHaveLength(2);
    const small = createBench([optionsOf({ cacheBytesMax: 5000 })]);
    for (let at = 0; at < 100; at++) await small.told(small.facts({ client: `agent-${at}` }));
    expect(small.status().entries).toBeLessThan(8);
    expect(small.status().entries).toBeGreaterThan(1);
  });
});

test('the time of questions that were sent adds up', async () => {
  const bench = createBench([optionsOf()]);
  bench.answer = () => {
    bench.clock.atMs += 250;
    return GOLD;
  };
  for (const client of ['a', 'b', 'a']) await bench.told(bench.facts({ client }));
  expect(bench.status().secondsTotal).toBe(0.5);
});

describe('many who ask', () => {
  function gated(options = optionsOf()) {
    const bench = createBench([options]);
    const { promise, resolve } = Promise.withResolvers<ExchangeAnswer>();
    bench.answer = () => promise;
    return { bench, open: () => resolve(GOLD) };
  }

  test('the same make one question', async () => {
    const { bench, open } = gated();
    const all = Array.from({ length: 50 }, () => bench.told());
    expect(bench.status().inFlight).toBe(1);
    open();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['{"tier":"gold"}']));
    expect(bench.asked).toHaveLength(1);
    expect(bench.status()).toMatchObject({ inFlight: 0, answers: { present: 1 } });
  });

  test('others are turned away beyond the bound, at once', async () => {
    const { bench, open } = gated();
    const waiting = Array.from({ length: 4 }, (_, at) => bench.told(bench.facts({ client: `agent-${at}` })));
    expect(await bench.told(bench.facts({ client: 'one-too-many' }))).toBe('unavailable concurrency_full');
    open();
    await Promise.all(waiting);
    expect(bench.status()).toMatchObject({ shed: 1, inFlight: 0 });
    expect(await bench.told(bench.facts({ client: 'one-too-many' }))).toBe('{"tier":"gold"}');
  });

  test('who cannot wait is told so before the deadline, and the answer serves the next', async () => {
    vi.useFakeTimers();
    const { bench, open } = gated();
    const asked = bench.told(bench.facts({ deadlineInMs: 150 }));
    let told = '';
    void asked.then((text) => {
      told = text;
    });
    await vi.advanceTimersByTimeAsync(129);
    expect(told).toBe('');
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toBe('unavailable deadline');
    expect(await bench.told(bench.facts({ deadlineInMs: 20 }))).toBe('unavailable deadline');
    expect(await bench.told(bench.facts({ deadlineInMs: -5 }))).toBe('unavailable deadline');
    open();
    await vi.advanceTimersByTimeAsync(0);
    expect(await bench.told(bench.facts({ deadlineInMs: 1 }))).toBe('{"tier":"gold"}');
    expect(bench.asked).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a source that fails', () => {
  test('several times in a row is left alone, then tried by one', async () => {
    const bench = createBench([optionsOf()]);
    bench.answer = () => json('', 503);
    for (let at = 0; at < 3; at++) expect(await bench.told()).toBe('unavailable status');
    expect(await bench.told()).toBe('unavailable breaker_open');
    expect(bench.status()).toMatchObject({ state: 'open', shed: 1, lastError: 'status' });
    bench.clock.atMs += 1000;
    bench.answer = () => GOLD;
    const both = [bench.told(bench.facts({ client: 'a' })), bench.told(bench.facts({ client: 'b' }))];
    expect(await Promise.all(both)).toEqual(['{"tier":"gold"}', 'unavailable breaker_open']);
    expect(bench.status()).toMatchObject({ state: 'ready', lastError: null });
    expect(bench.asked).toHaveLength(4);
  });

  test.each([
    [
      'what is wrong with one subject',
      [json('', 400), json('', 404), json({}), json('<'), { ok: false, failure: 'too_large' } as const],
      'ready',
    ],
    ['what would be wrong with any', [json('', 401), json('', 429), json('', 502), { ok: false, failure: 'redirect' } as const], 'open'],
  ] as const)('is told apart from a subject: %s', async (_what, answers, state) => {
    const bench = createBench([optionsOf()]);
    for (const [at, answer] of answers.entries()) {
      bench.answer = () => answer;
      await bench.told(bench.facts({ client: `agent-${at}` }));
    }
    expect(bench.status().state).toBe(state);
  });

  test('says so once, with no part of the question, and once that it is over', async () => {
    const bench = createBench([optionsOf({ breaker: { failuresMax: 1000, openMs: 1 }, cacheSeconds: 0 })]);
    expect(bench.status().state).toBe('never_asked');
    await bench.told();
    expect(bench.lines).toEqual([]);
    bench.answer = () => json('', 503);
    for (let at = 0; at < 20; at++) await bench.told();
    expect(bench.status().state).toBe('failing');
    // one that comes and goes writes no line for each time
    for (let at = 0; at < 20; at++) {
      bench.answer = () => (at % 2 === 0 ? GOLD : json('', 503));
      await bench.told();
    }
    bench.clock.atMs += 10_000;
    bench.answer = () => GOLD;
    for (let at = 0; at < 3; at++) await bench.told();
    expect(bench.lines).toEqual([
      { level: 'warn', event: 'source_failed', fields: { source: 'risk', code: 'status' } },
      { level: 'info', event: 'source_recovered', fields: { source: 'risk' } },
    ]);
  });
});
