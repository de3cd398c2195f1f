import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../src/contract/stages.ts';
import { createRegistry, type RegistryOptions, type RunningRegistry } from '../../src/registry/registry.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import { createKey, createRegistryFolder, HASH_KEY_ID } from '../support/registry.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const running: RunningRegistry[] = [];
afterEach(() => {
  for (const one of running.splice(0)) one.stop();
});

type Line = { readonly level: string; readonly event: string; readonly fields: Readonly<Record<string, unknown>> };

function open(directory: string, more: Partial<RegistryOptions> = {}) {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, event, fields });
    };
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const options = { directory, entriesMax: 100_000, bytesMax: 1 << 26, hashKeyIds: [HASH_KEY_ID], ...more };
  const registry = createRegistry(options, { clock, logger, readFile: readDocumentFile });
  running.push(registry);
  return { registry, lines, warnings: () => lines.filter(({ level }) => level === 'warn') };
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error('not within 15 s');
    await sleep(10);
  }
}

const clients = (...ids: string[]) => ({
  clients: ids.map((clientId) => ({ clientId, type: 'service', spiffeIds: [`spiffe://x/${clientId}`] })),
});

describe('a registry', () => {
  it('knows nobody before it starts, and everybody after', async () => {
    const folder = createRegistryFolder();
    const { id, entry } = createKey('a');
    folder.write('clients.yaml', clients('a'));
    folder.write('more.yaml', { keys: [entry] });
    const { registry } = open(folder.directory);
    expect([registry.available, registry.client('a'), registry.apiKey(id)]).toEqual([false, null, null]);
    await registry.start();
    expect(registry.available).toBe(true);
    expect(registry.client('a')).toMatchObject({ id: 'a', status: 'active' });
    expect(registry.clientOfSpiffeId('spiffe://x/a')).toBe('a');
    expect(registry.apiKey(id)).toMatchObject({ clientId: 'a' });
    expect([registry.client('b'), registry.clientOfSpiffeId('spiffe://x/b'), registry.apiKey('b')]).toEqual([null, null, null]);
    expect(registry.status()).toMatchObject({
      records: { state: 'ready', clients: 1, apiKeys: 1, problems: [] },
      revocations: { state: 'ready', entries: 0 },
    });
  });

  it('takes a change whole, under another generation', async () => {
    const folder = createRegistryFolder();
    folder.write('clients.yaml', clients('a', 'b'));
    const { registry } = open(folder.directory);
    await registry.start();
    const { generation } = registry;
    folder.write('clients.yaml', clients('b', 'c'));
    await until(() => registry.client('c') !== null);
    expect([registry.client('a'), registry.clientOfSpiffeId('spiffe://x/a')]).toEqual([null, null]);
    expect(registry.generation).not.toBe(generation);
  });

  it('sees a new file, a file that goes, and a volume that is swapped by symbolic links', async () => {
    const volume = mkdtempSync(join(tmpdir(), 'countersign-volume-'));
    const fill = (name: string, ...ids: string[]) => {
      mkdirSync(join(volume, name));
      writeFileSync(join(volume, name, 'clients.yaml'), JSON.stringify(clients(...ids)));
      writeFileSync(join(volume, name, 'revocations.yaml'), JSON.stringify({ revocations: ids.map((client) => ({ client })) }));
    };
    // as Kubernetes mounts a ConfigMap
    fill('..1', 'a');
    symlinkSync('..1', join(volume, '..data'));
    for (const file of ['clients.yaml', 'revocations.yaml']) symlinkSync(join('..data', file), join(volume, file));
    const { registry } = open(volume);
    await registry.start();
    expect([registry.client('a')?.id, registry.revocations.client('a')]).toEqual(['a', true]);
    fill('..2', 'b');
    symlinkSync('..2', join(volume, '..data_tmp'));
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
    rmSync(join(volume, '..1'), { recursive: true });
    await until(() => registry.client('b') !== null && registry.revocations.client('b'));
    expect([registry.client('a'), registry.revocations.client('a')]).toEqual([null, false]);
    writeFileSync(join(volume, 'more.yaml'), JSON.stringify(clients('c')));
    await until(() => registry.client('c') !== null);
    rmSync(join(volume, 'more.yaml'));
    await until(() => registry.client('c') === null);
    expect(registry.client('b')).not.toBeNull();
  });

  it('sees a change that keeps size and modification time', async () => {
    const folder = createRegistryFolder();
    folder.write('clients.yaml', clients('a'));
    const { registry } = open(folder.directory);
    await registry.start();
    const file = join(folder.directory, 'clients.yaml');
    const { atime, mtime } = statSync(file);
    writeFileSync(file, JSON.stringify(clients('b')));
    utimesSync(file, atime, mtime);
    await until(() => registry.client('b') !== null);
  });
});

describe('what cannot be used', () => {
  it('leaves the records that are there in use, is told once with file and line, and ends with a good file', async () => {
    const folder = createRegistryFolder();
    folder.write('clients.yaml', clients('a'));
    const { registry, warnings } = open(folder.directory);
    await registry.start();
    folder.write('clients.yaml', 'clients:\n  - clientId: "se cret"\n');
    await until(() => registry.status().records.state === 'stale');
    expect(registry.client('a')).not.toBeNull();
    expect(registry.status().records).toMatchObject({
      lastError: 'registry_invalid',
      problems: [
        'clients.yaml:2 clients[0].clientId: must be 1 to 256 printable characters without spaces',
        expect.stringContaining('clients.yaml:2 clients[0].type'),
      ],
    });
    await sleep(700);
    expect(warnings()).toHaveLength(1);
    expect(JSON.stringify(warnings())).not.toContain('se cret');
    folder.write('clients.yaml', clients('b'));
    await until(() => registry.client('b') !== null);
    expect(registry.status().records).toMatchObject({ state: 'ready', lastError: null, problems: [] });
  });

  it.each([
    ['is taken away', (directory: string) => rmSync(join(directory, 'revocations.yaml'))],
    ['is emptied', (directory: string) => writeFileSync(join(directory, 'revocations.yaml'), '')],
    ['is cut short', (directory: string) => writeFileSync(join(directory, 'revocations.yaml'), 'revocations:\n  - cli')],
    ['goes with its folder', (directory: string) => rmSync(directory, { recursive: true })],
  ])('never revokes less: a file of revocations that %s', async (_, spoil) => {
    const folder = createRegistryFolder();
    folder.write('revocations.yaml', { revocations: [{ client: 'a' }] });
    const { registry } = open(folder.directory);
    await registry.start();
    spoil(folder.directory);
    await until(() => registry.status().revocations.state === 'stale');
    expect([registry.available, registry.revocations.client('a')]).toEqual([true, true]);
    expect(registry.status().revocations.problems).not.toEqual([]);
  });

  it('the same file back again is the end of it', async () => {
    const folder = createRegistryFolder();
    const { registry } = open(folder.directory);
    await registry.start();
    renameSync(join(folder.directory, 'revocations.yaml'), join(folder.directory, 'aside'));
    await until(() => registry.status().revocations.state === 'stale');
    renameSync(join(folder.directory, 'aside'), join(folder.directory, 'revocations.yaml'));
    await until(() => registry.status().revocations.state === 'ready');
  });

  it('at the start leaves nothing available, and says which half is missing', async () => {
    const folder = createRegistryFolder();
    rmSync(join(folder.directory, 'revocations.yaml'));
    const { registry } = open(folder.directory);
    await registry.start();
    expect(registry.available).toBe(false);
    expect(registry.status()).toMatchObject({
      records: { state: 'ready' },
      revocations: {
        state: 'never_loaded',
        lastError: 'registry_missing',
        problems: ['registry: revocations.yaml is missing: `revocations: []` revokes nothing'],
      },
    });
    const before = registry.generation;
    folder.write('revocations.yaml', { revocations: [] });
    await until(() => registry.available);
    expect(registry.generation).not.toBe(before);
  });

  it('a pipe, a device or a folder by the name of a file: nobody waits for it, and it is told by its name', async () => {
    const folder = createRegistryFolder();
    folder.write('clients.yaml', clients('a'));
    const { registry } = open(folder.directory);
    await registry.start();
    const odd = join(folder.directory, 'odd.yaml');
    const kinds: readonly (() => unknown)[] = [
      () => execFileSync('mkfifo', [odd]),
      () => symlinkSync('/dev/zero', odd),
      () => mkdirSync(odd),
    ];
    for (const make of kinds) {
      make();
      await until(() => registry.status().records.state === 'stale');
      expect(registry.status().records).toMatchObject({
        lastError: 'registry_invalid',
        problems: ['odd.yaml: is no regular file'],
        clients: 1,
      });
      rmSync(odd, { recursive: true });
      await until(() => registry.status().records.state === 'ready');
    }
  });

  it('more bytes or entries than are allowed, and what is not UTF-8', async () => {
    const folder = createRegistryFolder();
    folder.write('clients.yaml', clients('a', 'b', 'c'));
    const small = open(folder.directory, { bytesMax: 100 }).registry;
    const few = open(folder.directory, { entriesMax: 2 }).registry;
    await Promise.all([small.start(), few.start()]);
    expect(small.status().records).toMatchObject({ state: 'never_loaded', lastError: 'registry_too_large' });
    expect(few.status().records).toMatchObject({ state: 'never_loaded', lastError: 'registry_invalid' });
    writeFileSync(join(folder.directory, 'clients.yaml'), Buffer.from([0x63, 0xff, 0x0a]));
    const { registry } = open(folder.directory);
    await registry.start();
    expect(registry.status().records.problems).toEqual(['clients.yaml: is not UTF-8']);
  });
});

it('more than a thousand files are refused, not the first thousand of them read', async () => {
  const folder = createRegistryFolder();
  for (let index = 0; index < 1001; index++) writeFileSync(join(folder.directory, `${index}.yaml`), 'clients: []\n');
  const { registry } = open(folder.directory);
  await registry.start();
  expect(registry.status().records).toMatchObject({ state: 'never_loaded', lastError: 'registry_too_large' });
});

describe('files too large to be read where decisions are made', () => {
  const many = Array.from({ length: 3000 }, (_, index) => `client-${index}`);

  it('are read by a thread, entry for entry the same', async () => {
    const folder = createRegistryFolder();
    const keys = many.slice(0, 700).map((client) => createKey(client));
    folder.write(
      'clients.jsonl',
      clients(...many)
        .clients.map((client) => JSON.stringify({ client }))
        .join('\n'),
    );
    folder.write('keys.yaml', `keys:\n${keys.map(({ entry }) => `  - ${JSON.stringify(entry)}\n`).join('')}`);
    folder.write('revocations.yaml', `revocations:\n${many.map((client) => `  - {client: ${client}}\n`).join('')}`);
    const { registry } = open(folder.directory);
    await registry.start();
    expect(registry.status()).toMatchObject({ records: { clients: 3000, apiKeys: 700 }, revocations: { entries: 3000 } });
    for (const id of many) expect([registry.client(id)?.id, registry.revocations.client(id)]).toEqual([id, true]);
    for (const { id, entry } of keys) expect(registry.apiKey(id)).toMatchObject({ clientId: entry.client });
    expect(registry.clientOfSpiffeId('spiffe://x/client-2999')).toBe('client-2999');
  });

  it('are refused whole, with file and line', async () => {
    const folder = createRegistryFolder();
    folder.write(
      'clients.yaml',
      `clients:\n${many.map((id) => `  - {clientId: ${id}, type: service}\n`).join('')}  - {clientId: client-7, type: service}\n`,
    );
    const { registry } = open(folder.directory);
    await registry.start();
    expect(registry.client('client-1')).toBeNull();
    expect(registry.status().records.problems).toEqual(['clients.yaml:3002 clients[3000].clientId: is the id of another client too']);
  });

  it('do not keep a process that stops from ending', async () => {
    const folder = createRegistryFolder();
    folder.write('clients.yaml', `clients:\n${many.map((id) => `  - {clientId: ${id}, type: service}\n`).join('')}`);
    const { registry, warnings } = open(folder.directory);
    const started = registry.start();
    await sleep(20);
    registry.stop();
    await started;
    expect(registry.available).toBe(false);
    expect(warnings()).toEqual([]);
  });
});
