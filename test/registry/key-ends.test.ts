import { afterEach, expect, it } from 'vitest';
import type { Logger } from '../../src/contract/stages.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { createEndingKeys } from '../../src/registry/key-ends.ts';
import { createRegistry, type RunningRegistry } from '../../src/registry/registry.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import { status } from '../record/records.ts';
import { createKey, createRegistryFolder, HASH_KEY_ID } from '../support/registry.ts';

/* When API keys end, out of files, and as metrics whose number does not grow with the keys. */

const NOW_SECONDS = 1_800_000_000;
const DAY = 86_400;
const silent = (): void => {};
const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

let running: RunningRegistry | undefined;
let nowSeconds = NOW_SECONDS;
afterEach(() => {
  running?.stop();
  nowSeconds = NOW_SECONDS;
});

async function open(keys: readonly object[], revocations: readonly object[] = []) {
  const folder = createRegistryFolder();
  folder.write('clients.yaml', {
    clients: [
      { clientId: 'a', type: 'service' },
      { clientId: 'off', type: 'service', status: 'suspended' },
    ],
  });
  folder.write('keys.yaml', { keys });
  folder.write('revocations.yaml', { revocations });
  const clock = { now: () => nowSeconds * 1000, monotonic: () => performance.now() };
  const options = { directory: folder.directory, entriesMax: 100_000, bytesMax: 1 << 26, hashKeyIds: [HASH_KEY_ID] };
  running = createRegistry(options, { clock, logger, readFile: readDocumentFile });
  await running.start();
  const registry = running;
  expect(registry.status().records.problems).toEqual([]);
  return { registry, ends: () => registry.status().records.keyEnds };
}

const ending = (days: number | null, client = 'a') =>
  createKey(client, days === null ? {} : { expiresAt: new Date((NOW_SECONDS + days * DAY) * 1000).toISOString() });

it('counts the keys that end in each span, and names the first', async () => {
  const keys = [40, 29, 6.5, 0.5, 6, null].map((days) => ending(days));
  const { ends } = await open(keys.map(({ entry }) => entry));
  const first = { id: keys[3]?.id, client: 'a', endsAt: NOW_SECONDS + DAY / 2 };
  expect(ends()).toEqual({ within: { '1d': 1, '7d': 3, '30d': 4 }, next: first });
  nowSeconds += DAY / 2;
  expect(ends()).toMatchObject({ within: { '1d': 0, '7d': 2, '30d': 3 }, next: { id: keys[4]?.id } });
  nowSeconds += 30 * DAY;
  expect(ends()).toMatchObject({ within: { '1d': 0, '7d': 0, '30d': 1 }, next: { id: keys[0]?.id } });
  nowSeconds += 30 * DAY;
  expect(ends()).toEqual({ within: { '1d': 0, '7d': 0, '30d': 0 }, next: null });
});

it('names the first of those that end in more than a month too', async () => {
  const keys = [200, 90, 120].map((days) => ending(days));
  const { ends } = await open(keys.map(({ entry }) => entry));
  expect(ends()).toMatchObject({ within: { '30d': 0 }, next: { id: keys[1]?.id } });
});

it('leaves out what cannot be used anyway', async () => {
  const [revoked, off, good] = [ending(1), ending(2, 'off'), ending(3)];
  const { ends } = await open([revoked.entry, off.entry, good.entry], [{ apiKey: revoked.id }]);
  expect(ends()).toMatchObject({ within: { '1d': 0, '7d': 1, '30d': 1 }, next: { id: good.id } });
});

it('is four series, however many keys there are', async () => {
  const keys = Array.from({ length: 50 }, (_, index) => ending(1 + index / 10).entry);
  const { registry } = await open(keys);
  const scrape = async (of: typeof registry) => {
    const now = () => ({ ...status, registry: of.status() });
    const { text } = await createMetrics({ version: '0', node: '0', clock: { now: () => 0 }, status: now }).scrape();
    return text.match(/^countersign_registry_api_key.*/gm);
  };
  expect(await scrape(registry)).toEqual([
    'countersign_registry_api_keys_expiring{within="1d"} 1',
    'countersign_registry_api_keys_expiring{within="7d"} 50',
    'countersign_registry_api_keys_expiring{within="30d"} 50',
    `countersign_registry_api_key_next_end_timestamp_seconds ${NOW_SECONDS + DAY}`,
  ]);
  registry.stop();
  const { registry: none } = await open([ending(null).entry]);
  expect((await scrape(none))?.length).toBe(3);
});

it('looks once a minute, since health checks ask too, and at once where something was loaded', () => {
  const keys = createEndingKeys();
  keys.add({ id: 'k', clientId: 'a', hashKeyId: HASH_KEY_ID, digest: '', scopes: [], expiresAt: NOW_SECONDS + DAY, networks: [] });
  let looks = 0;
  const at = (seconds: number, generation: number) =>
    keys.at(NOW_SECONDS + seconds, generation, () => {
      looks += 1;
      return true;
    });
  for (const seconds of [0, 1, 59]) at(seconds, 1);
  expect(looks).toBe(1);
  at(60, 1);
  expect(looks).toBe(2);
  at(61, 2);
  expect(looks).toBe(3);
  // a clock that was set back
  at(0, 2);
  expect(looks).toBe(4);
});
