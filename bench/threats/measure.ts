import type { ActivePolicy } from '../../src/contract/stages.ts';
import type { AddressLists } from '../../src/enrich/lists/address-lists.ts';
import { type Learning, type Replayed, replay } from './replay.ts';
import type { Corpus } from './traffic.ts';

/** What a template made of one corpus. */
export type Measured = {
  readonly requests: number;
  /** Of those, benign ones. */
  readonly benign: number;
  /** Attacks, and those of them in which it saw at least one request. */
  readonly attacks: number;
  readonly detected: ReadonlyMap<string, number>;
  /** Attacks in which any template saw something. */
  readonly detectedByAny: number;
  readonly falsePositives: ReadonlyMap<string, number>;
  /** Benign requests that any template saw something in. */
  readonly falseByAny: number;
};

/** What a corpus is played with. */
export type Measuring = {
  readonly policy: ActivePolicy;
  readonly learning: Learning;
  /** Left out: no address is on a list. */
  readonly lists?: AddressLists;
  /** Sees every request. */
  readonly onEach?: (one: Replayed) => void;
};

/** Plays a corpus and counts, by template. */
export function measure(corpus: Corpus, { policy, learning, lists, onEach }: Measuring): Measured {
  const falsePositives = new Map<string, number>();
  const attacks = new Map<number, Set<string>>();
  let [benign, falseByAny] = [0, 0];
  for (const one of replay(corpus.events, policy, learning, lists)) {
    onEach?.(one);
    const { event, seen } = one;
    if (event.attack === null) {
      benign += 1;
      if (seen.length > 0) falseByAny += 1;
      for (const name of seen) falsePositives.set(name, (falsePositives.get(name) ?? 0) + 1);
    } else {
      const found = attacks.get(event.attack) ?? new Set();
      attacks.set(event.attack, found);
      for (const name of seen) found.add(name);
    }
  }
  const detected = new Map<string, number>();
  for (const found of attacks.values()) for (const name of found) detected.set(name, (detected.get(name) ?? 0) + 1);
  return {
    requests: corpus.events.length,
    benign,
    attacks: attacks.size,
    detected,
    detectedByAny: [...attacks.values()].filter(({ size }) => size > 0).length,
    falsePositives,
    falseByAny,
  };
}
