import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createEdgeNumbers, edgeIn } from '../../../src/decide/routes/edges.ts';

it('leads from a node by a text to the node that was set, and nowhere else', () => {
  const edge = fc.tuple(fc.nat(50), fc.nat(50), fc.integer({ min: 1, max: 1000 }));
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 300 }), fc.array(fc.tuple(fc.nat(60), fc.integer({ min: -1, max: 60 }))), (set, asked) => {
      const edges = createEdgeNumbers();
      const known = new Map<string, number>();
      for (const [from, text, to] of set) {
        edges.set(from, text, to);
        known.set(`${from} ${text}`, to);
      }
      const packed = edges.pack();
      for (const [from, text] of [...set, ...asked]) {
        expect(edges.get(from, text)).toBe(known.get(`${from} ${text}`));
        expect(edgeIn(packed, from, text)).toBe(known.get(`${from} ${text}`) ?? 0);
      }
    }),
  );
});
