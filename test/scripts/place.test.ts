import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { place } from '../../scripts/tools/place.mjs';

describe('what is placed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-place-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A finished folder with one file, in a scratch folder of its own. */
  function make(name: string): { made: string; scratch: string } {
    const scratch = join(folder, `scratch-${name}`);
    const made = join(scratch, 'made');
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, 'who'), name);
    return { made, scratch };
  }

  test('replaces what was there', async () => {
    const target = join(folder, 'deep/er/tool');
    for (const name of ['old', 'new']) {
      const { made, scratch } = make(name);
      await place(made, target, scratch);
    }
    expect(readFileSync(join(target, 'who'), 'utf8')).toBe('new');
    expect(readdirSync(join(folder, 'deep/er'))).toEqual(['tool']);
  });

  test('is one whole folder also where many are placed at once', async () => {
    const target = join(folder, 'many');
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
    await Promise.all(names.map(make).map(({ made, scratch }) => place(made, target, scratch)));
    expect(names).toContain(readFileSync(join(target, 'who'), 'utf8'));
    expect(readdirSync(target)).toEqual(['who']);
  });
});
