import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createStateFolder } from '../../src/stores/state-folder.ts';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-state-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'a', 'b');
}

it('what is written is read, by the owner alone, and nothing else is left', async () => {
  const directory = scratch();
  const folder = createStateFolder(directory);
  expect(await folder.read('x', 10)).toBeNull();
  expect(existsSync(directory)).toBe(false);
  await Promise.all(['one', 'two'].map((text) => folder.write('x', Buffer.from(text))));
  expect(['one', 'two']).toContain((await folder.read('x', 10))?.toString());
  expect(readdirSync(directory)).toEqual(['x']);
  expect([statSync(directory).mode & 0o777, statSync(join(directory, 'x')).mode & 0o777]).toEqual([0o700, 0o600]);
});

it('what is too large, a folder, or cannot be written is refused by its name', async () => {
  const directory = scratch();
  const folder = createStateFolder(directory);
  await folder.write('x', Buffer.alloc(11));
  await expect(folder.read('x', 10)).rejects.toMatchObject({ code: 'state_invalid', field: 'x' });
  writeFileSync(join(directory, 'file'), '');
  const inFile = createStateFolder(join(directory, 'file'));
  await expect(inFile.write('y', Buffer.from('1'))).rejects.toMatchObject({ code: 'state_invalid', field: 'y' });
});

it('keeps only what is named', async () => {
  const directory = scratch();
  const folder = createStateFolder(directory);
  for (const name of ['a', 'b', 'c']) await folder.write(name, Buffer.from(name));
  await folder.keepOnly(new Set(['b']));
  expect(readdirSync(directory)).toEqual(['b']);
  expect(readFileSync(join(directory, 'b'), 'utf8')).toBe('b');
});
