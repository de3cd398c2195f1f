import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BASELINE_MINUTES_MIN, baselineDeviation, baselineMean, countMinute } from '../../../src/enrich/behaviour/baseline.ts';
import { countEvent, DENIALS, eventsOf, HOUR_HALVES, STEP_UPS } from '../../../src/enrich/behaviour/hour-counts.ts';
import { isNew, noveltyCells, remember } from '../../../src/enrich/behaviour/novelty.ts';
import { distanceKm, travelBetween } from '../../../src/enrich/behaviour/places.ts';
import { HOUR_MS, T0 } from './fixtures.ts';

describe('the baseline', () => {
  function series(counts: readonly number[]) {
    const cells = { floats: new Float64Array(2), words: new Uint32Array(3) };
    counts.forEach((count, minute) => {
      for (let request = 0; request < count; request += 1) countMinute(cells, 0, 0, T0 + minute * 60_000 + request);
    });
    const next = (minute: number) => countMinute(cells, 0, 0, T0 + minute * 60_000);
    return { cells, next, mean: () => baselineMean(cells, 0, 0), deviation: (count: number) => baselineDeviation(cells, 0, count) };
  }

  test('is not there before 30 active minutes, then it is the mean', () => {
    const early = series(Array(BASELINE_MINUTES_MIN - 1).fill(10));
    early.next(100);
    expect(early.mean()).toBeNull();
    const ready = series(Array(BASELINE_MINUTES_MIN).fill(10));
    ready.next(100);
    expect(ready.mean()).toBeCloseTo(10, 6);
    // a mean of ten has the deviation of a Poisson process, however even it was
    expect(ready.deviation(20)).toBeCloseTo(10 / Math.sqrt(10), 6);
  });

  test('minutes without a request say nothing', () => {
    const bursts = series(Array.from({ length: 3000 }, (_, minute) => (minute % 60 === 0 ? 50 : 0)));
    bursts.next(5000);
    expect(bursts.mean()).toBeCloseTo(50, 6);
  });

  test('it follows an exact weighted mean and variance where nothing is clipped', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 8, max: 12 }), { minLength: 30, maxLength: 200 }), (counts) => {
        const one = series(counts);
        one.next(100_000);
        let mean = 0;
        let variance = 0;
        counts.forEach((count, index) => {
          const weight = Math.max(1 / 32, 1 / (index + 1));
          variance = (1 - weight) * (variance + weight * (count - mean) ** 2);
          mean += weight * (count - mean);
        });
        expect(one.mean()).toBeCloseTo(mean, 6);
        expect(one.deviation(100)).toBeCloseTo((100 - mean) / Math.sqrt(Math.max(variance, mean, 1)), 6);
      }),
    );
  });

  test('a burst cannot teach itself in quickly: after ten minutes of fifty times as much it is still far out', () => {
    const burst = series([...Array(100).fill(10), ...Array(10).fill(500)]);
    expect(burst.next(111)).toBe(1);
    expect(burst.mean()).toBeLessThan(20);
    expect(burst.deviation(500)).toBeGreaterThan(20);
  });
});

describe('events of an hour', () => {
  test('never too few, and at most those of five minutes too many', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 900_000 }), { maxLength: 100 });
    fc.assert(
      fc.property(pauses, (steps) => {
        const cells = { words: new Uint32Array(1), halves: new Uint16Array(HOUR_HALVES) };
        const log: number[] = [];
        let now = T0;
        for (const step of steps) {
          now += step;
          log.push(now);
          countEvent(cells, 0, 0, now, DENIALS);
          const count = eventsOf(cells, 0, 0, now, DENIALS);
          expect(count).toBeGreaterThanOrEqual(log.filter((at) => at > now - HOUR_MS).length);
          expect(count).toBeLessThanOrEqual(log.filter((at) => at > now - HOUR_MS - 300_000).length);
        }
        expect(eventsOf(cells, 0, 0, now, STEP_UPS)).toBe(0);
      }),
    );
  });

  test('a bucket that is full stays there and runs over into no other', () => {
    const cells = { words: new Uint32Array(1), halves: new Uint16Array(HOUR_HALVES) };
    for (let event = 0; event < 70_000; event += 1) countEvent(cells, 0, 0, T0, DENIALS);
    expect([eventsOf(cells, 0, 0, T0, DENIALS), eventsOf(cells, 0, 0, T0, STEP_UPS)]).toEqual([65_535, 0]);
  });
});

describe('novelty', () => {
  const MAX = 3;
  const list = () => new Uint32Array(noveltyCells(MAX) + 2);

  test('new until it was remembered', () => {
    const known = list();
    expect(isNew(known, 1, MAX, 5)).toBe(true);
    remember(known, 1, MAX, 5);
    expect([isNew(known, 1, MAX, 5), isNew(known, 1, MAX, 6)]).toEqual([false, true]);
  });

  test('more than fit: the oldest goes, and nobody can say any more what is new', () => {
    const known = list();
    for (const value of [1, 2, 3, 1, 4]) remember(known, 1, MAX, value);
    expect([1, 3, 4].map((value) => isNew(known, 1, MAX, value))).toEqual([false, false, false]);
    expect([2, 9].map((value) => isNew(known, 1, MAX, value))).toEqual([null, null]);
    expect([known[0], known[5]]).toEqual([0, 0]);
  });

  test('like a list that is kept in the order of use', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 }), (values) => {
        const known = list();
        let order: number[] = [];
        let overflown = false;
        for (const value of values) {
          remember(known, 1, MAX, value);
          order = [value, ...order.filter((one) => one !== value)];
          if (order.length > MAX) overflown = true;
          order = order.slice(0, MAX);
        }
        for (let value = 1; value <= 6; value += 1) {
          expect(isNew(known, 1, MAX, value)).toBe(order.includes(value) ? false : overflown ? null : true);
        }
      }),
    );
  });
});

describe('travel', () => {
  const berlin = { latitude: 52.52, longitude: 13.405, accuracyKm: 20 };
  const sydney = { latitude: -33.87, longitude: 151.21, accuracyKm: 20 };

  test('distances of the globe', () => {
    expect(distanceKm(berlin, sydney)).toBeCloseTo(16_090, -2);
    expect(distanceKm({ ...berlin, longitude: 179.9 }, { ...berlin, longitude: -179.9 })).toBeCloseTo(13.5, 0);
    expect(distanceKm({ ...berlin, latitude: 90 }, { ...berlin, latitude: -90 })).toBeCloseTo(Math.PI * 6371, 6);
    expect(distanceKm(berlin, berlin)).toBe(0);
  });

  test('less both uncertainties, over the time between', () => {
    const { km, kmh } = travelBetween(berlin, T0, sydney, T0 + HOUR_MS);
    expect(km).toBe(Math.round(distanceKm(berlin, sydney) - 40));
    expect(kmh).toBe(km);
    expect(travelBetween(berlin, T0, sydney, T0 + 24 * HOUR_MS).kmh).toBeLessThan(700);
  });

  test('neighbouring towns, and places within their uncertainty, are no travel', () => {
    const potsdam = { latitude: 52.39, longitude: 13.06, accuracyKm: null };
    expect(travelBetween(berlin, T0, potsdam, T0 + 1000)).toEqual({ km: 0, kmh: 0 });
    expect(travelBetween({ ...berlin, accuracyKm: 10_000 }, T0, { ...sydney, accuracyKm: 10_000 }, T0)).toEqual({ km: 0, kmh: 0 });
  });

  test('a clock that stands or runs backwards makes no infinite speed', () => {
    const still = travelBetween(berlin, T0, sydney, T0);
    expect(still.kmh).toBe(Math.round((distanceKm(berlin, sydney) - 40) * 60));
    expect(travelBetween(berlin, T0, sydney, T0 - HOUR_MS)).toEqual(still);
    expect(travelBetween({ ...berlin, latitude: Number.NaN }, T0, sydney, T0)).toEqual({ km: 0, kmh: 0 });
  });
});
