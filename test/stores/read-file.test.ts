import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readDocumentFile } from '../../src/stores/read-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'countersign-file-'));
afterAll(() => rm(folder, { recursive: true }));

test('reads a file up to its bound', async () => {
  const path = join(folder, 'keys.json');
  await writeFile(path, 'x'.repeat(100));
  expect((await readDocumentFile(path, 100)).toString()).toBe('x'.repeat(100));
  await expect(readDocumentFile(path, 99)).rejects.toMatchObject({ code: 'fetch_too_large' });
  await writeFile(path, '');
  expect(await readDocumentFile(path, 100)).toHaveLength(0);
});

test.each(['missing', '.', 'pipe'])('%s is no file, and keeps nobody waiting', async (name) => {
  const path = join(folder, name);
  if (name === 'pipe') execFileSync('mkfifo', [path]);
  await expect(readDocumentFile(path, 100_000)).rejects.toMatchObject({ code: 'fetch_failed' });
});
