import { execFileSync } from 'node:child_process';
import { mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readChangedFile } from '../../src/stores/changed-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'countersign-changed-'));
afterAll(() => rm(folder, { recursive: true }));

test('reads a file up to its bound, with when it was written', async () => {
  const path = join(folder, 'list');
  await writeFile(path, 'x'.repeat(100));
  await utimes(path, 1_790_000_000, 1_790_000_000);
  expect(await readChangedFile(path, 100, null)).toMatchObject({ bytes: Buffer.from('x'.repeat(100)), modifiedAtMs: 1_790_000_000_000 });
  await expect(readChangedFile(path, 99, null)).rejects.toMatchObject({ code: 'fetch_too_large' });
});

test('gives nothing while the file is the same, and the new one after a write, a rename and a swap of links', async () => {
  const path = join(folder, 'same');
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  for (const file of [a, b]) await writeFile(file, file.slice(-1));
  await writeFile(path, '1');
  let version = '';
  const read = async (): Promise<string | null> => {
    const found = await readChangedFile(path, 100, version);
    version = found?.version ?? version;
    return found?.bytes.toString() ?? null;
  };
  expect([await read(), await read()]).toEqual(['1', null]);
  await writeFile(path, '22');
  expect([await read(), await read()]).toEqual(['22', null]);
  for (const target of [a, b]) {
    await symlink(target, join(folder, 'link'));
    await rename(join(folder, 'link'), path);
    expect([await read(), await read()]).toEqual([target.slice(-1), null]);
  }
});

test.each(['missing', '.', 'pipe'])('%s is no file, and keeps nobody waiting', async (name) => {
  if (name === 'pipe') execFileSync('mkfifo', [join(folder, name)]);
  await expect(readChangedFile(join(folder, name), 100_000, null)).rejects.toMatchObject({ code: 'fetch_failed' });
});
