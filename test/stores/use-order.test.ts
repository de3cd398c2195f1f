import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NONE, UseOrder } from '../../src/stores/use-order.ts';

test('any uses, and places that are given back: the order is that of a list', () => {
  const step = fc.record({ use: fc.boolean(), place: fc.integer({ min: 0, max: 40 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const order = new UseOrder();
      const expected: number[] = [];
      const free: number[] = [];
      for (const { use, place } of steps) {
        const known = expected.indexOf(place);
        if (use) {
          if (free.includes(place)) continue;
          if (known >= 0) {
            order.unlink(place);
            expected.splice(known, 1);
          }
          order.append(place);
          expected.push(place);
        } else if (known >= 0) {
          order.giveBack(place);
          expected.splice(known, 1);
          free.push(place);
        } else expect(order.takeFree()).toBe(free.pop() ?? NONE);
        expect([order.oldest, order.newest]).toEqual([expected[0] ?? NONE, expected.at(-1) ?? NONE]);
      }
      for (const place of expected) {
        expect(order.oldest).toBe(place);
        order.unlink(place);
      }
      expect([order.oldest, order.newest]).toEqual([NONE, NONE]);
    }),
  );
});

test('it grows, and keeps what it has', () => {
  const order = new UseOrder();
  for (let place = 0; place < 1024; place += 1) order.append(place);
  order.grow(5000);
  for (let place = 1024; place < 5000; place += 1) order.append(place);
  for (let place = 0; place < 5000; place += 1) {
    expect(order.oldest).toBe(place);
    order.unlink(place);
  }
});
