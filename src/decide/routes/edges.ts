import { hashOfPair, sharedZeros, slotsFor } from './hash.ts';

/* The edges of the tree of paths: from a node by a text to a node. */

/** Of the three numbers in a slot: the node and one, the text, the node that it leads to. */
const WIDTH = 3;
const TEXT = 1;
const TO = 2;

/** Edges while the tree grows. */
export interface EdgeNumbers {
  /** Undefined where there is none. */
  get(from: number, text: number): number | undefined;
  set(from: number, text: number, to: number): void;
  /** For `edgeIn`. */
  pack(): Int32Array;
}

/** Texts of one catalogue have lower numbers. */
const TEXTS_MAX = 2 ** 26;

/** None at first. */
export function createEdgeNumbers(): EdgeNumbers {
  const edges = new Map<number, number>();
  const keyOf = (from: number, text: number): number => from * TEXTS_MAX + text;
  return {
    get: (from, text) => edges.get(keyOf(from, text)),
    set: (from, text, to) => void edges.set(keyOf(from, text), to),
    pack() {
      const count = slotsFor(edges.size);
      const slots = sharedZeros(count * WIDTH);
      for (const [key, to] of edges) {
        const [from, text] = [Math.floor(key / TEXTS_MAX), key % TEXTS_MAX];
        let slot = hashOfPair(from, text) & (count - 1);
        while (slots[slot * WIDTH] !== 0) slot = (slot + 1) & (count - 1);
        slots.set([from + 1, text, to], slot * WIDTH);
      }
      return slots;
    },
  };
}

/** The node that an edge leads to, in packed edges; 0 where there is none. */
export function edgeIn(slots: Int32Array, from: number, text: number): number {
  const mask = slots.length / WIDTH - 1;
  for (let slot = hashOfPair(from, text) & mask; ; slot = (slot + 1) & mask) {
    const at = slot * WIDTH;
    const node = slots[at] ?? 0;
    if (node === 0) return 0;
    if (node === from + 1 && slots[at + TEXT] === text) return slots[at + TO] ?? 0;
  }
}
