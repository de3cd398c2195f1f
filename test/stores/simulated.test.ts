import { expect, test } from 'vitest';
import { BlockPool, createBlock } from '../../src/stores/block-pool.ts';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import { overlayBlocks, overlayRecords } from '../../src/stores/pool-overlay.ts';
import { RecordPool } from '../../src/stores/record-pool.ts';

const NOW = 1_780_308_000_000;

test('simulated windows tell what the next count tells, at every time, and change nothing', () => {
  const windows = createMemoryWindows({ entriesMax: 1000, counterEntriesMax: 10, startedAtMs: NOW });
  const thresholds = { client: [{ name: 'client-10s', window: 0, limit: 3 }] };
  const counters = [{ counter: 'cost', key: 'c', amount: 1500, thresholds: [{ name: 'cost', window: 4, limit: 4000 }] }];
  const keys = { client: 'c', address: 'a', token: null, route: 'r', api_key: null, thresholds, counters };
  for (let step = 0; step < 200; step += 1) {
    const atMs = NOW + step * 733 + (step % 17 === 0 ? 3_000_000 * step : 0);
    const before = windows.status();
    const asIf = windows.simulated.count(keys, atMs, 10);
    expect(windows.simulated.count(keys, atMs, 10)).toEqual(asIf);
    expect(windows.status()).toEqual(before);
    expect(windows.count(keys, atMs, 10)).toEqual(asIf);
  }
});

test('a full store refuses a new key in a simulation too', () => {
  const windows = createMemoryWindows({ entriesMax: 20, startedAtMs: NOW });
  const keysOf = (client: string) => ({ client, address: null, token: null, route: null });
  for (let index = 0; index < 4; index += 1) windows.count(keysOf(`c${index}`), NOW, 10);
  expect(windows.simulated.count(keysOf('new'), NOW, 10)).toMatchObject({ client: 'store_full' });
  expect(windows.simulated.count(keysOf('c1'), NOW, 10)).toMatchObject({ client: { '10s': 2 } });
});

test('simulated replays remember nothing', () => {
  const replays = createMemoryReplays({ entriesMax: 2, startedAtMs: NOW });
  const ask = (memory: typeof replays.simulated, key: string) => memory.remember(key, NOW, NOW + 60_000, 10);
  expect([ask(replays.simulated, 'a'), ask(replays.simulated, 'a'), ask(replays, 'a'), ask(replays.simulated, 'a')]).toEqual([
    'fresh',
    'fresh',
    'fresh',
    'replayed',
  ]);
  ask(replays, 'b');
  expect(ask(replays.simulated, 'c')).toBe('store_full');
});

test('an overlay shows records and blocks, and keeps its changes to itself', () => {
  const shape = { floats: 1, words: 2, halves: 1 };
  const live = new RecordPool({ entriesMax: 4, shape, idleMs: 0, onEvict: () => undefined });
  const made = live.take('k', NOW);
  if (made !== null) made.words[made.word + 1] = 7;
  const over = overlayRecords(live, { entriesMax: 4, shape, idleMs: 0, onEvict: () => undefined });
  const seen = over.take('k', NOW);
  expect([seen?.fresh, seen?.words[(seen?.word ?? 0) + 1]]).toEqual([false, 7]);
  if (seen !== null) seen.words[seen.word + 1] = 8;
  expect(over.find('k')?.words[(over.find('k')?.word ?? 0) + 1]).toBe(8);
  const kept = live.find('k');
  expect(kept?.words[(kept?.word ?? 0) + 1]).toBe(7);
  expect(over.take('new', NOW)?.fresh).toBe(true);
  expect([live.find('new'), live.size]).toEqual([null, 1]);

  const blocks = new BlockPool(8);
  const block = blocks.take();
  const pointer = createBlock();
  blocks.open(block, pointer).words[blocks.open(block, pointer).word] = 5;
  const copies = overlayBlocks(blocks, new BlockPool(8));
  const into = copies.open(block, createBlock());
  expect(into.words[into.word]).toBe(5);
  into.words[into.word] = 6;
  expect(copies.take()).not.toBe(copies.take());
  copies.release(block);
  expect([blocks.open(block, pointer).words[pointer.word], blocks.size]).toEqual([5, 1]);
});
