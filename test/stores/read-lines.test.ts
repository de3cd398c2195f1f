import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readLines } from '../../src/stores/read-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-replay-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(bytes: Uint8Array | string, lineBytesMax = 1000): Promise<(string | null)[]> {
  const file = join(folder, 'log');
  writeFileSync(file, bytes);
  const found: (string | null)[] = [];
  for await (const line of readLines(file, lineBytesMax)) {
    expect(line.number).toBe(found.length + 1);
    found.push(line.bytes === null ? line.problem : line.bytes.toString());
  }
  return found;
}

describe('lines of a file', () => {
  it.each([
    ['nothing', '', []],
    ['no end', 'a', ['a']],
    ['an empty one', 'a\n\nb\n', ['a', '', 'b']],
    ['one that is too long', `a\n${'x'.repeat(1001)}\nb`, ['a', 'too_long', 'b']],
    ['one that is just short enough', 'x'.repeat(1000), ['x'.repeat(1000)]],
  ])('%s', async (_name, text, lines) => {
    expect(await read(text)).toEqual(lines);
    if (text !== '') expect(await read(gzipSync(text))).toEqual(lines);
  });

  it('longer than many chunks', async () => {
    const long = 'y'.repeat(1 << 20);
    expect(await read(`${long}\nb\n`, 1 << 20)).toEqual([long, 'b']);
    expect(await read(`${long}y\nb\n`, 1 << 20)).toEqual(['too_long', 'b']);
    expect(await read(gzipSync(`${long.repeat(3)}\nb\n`), 10)).toEqual(['too_long', 'b']);
  });

  it('packed files one after the other, as they are rotated and joined', async () => {
    expect(await read(Buffer.concat([gzipSync('a\nb\n'), gzipSync('c\n')]))).toEqual(['a', 'b', 'c']);
  });

  it('a packed file that breaks off, or has other bytes in it', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index * 7919}`);
    const packed = gzipSync(lines.join('\n'));
    const cut = await read(packed.subarray(0, packed.length - 100));
    expect(cut.at(-1)).toBe('gzip_broken');
    expect(cut.slice(0, 1000)).toEqual(lines.slice(0, 1000));
    const flipped = Buffer.from(packed);
    const middle = packed.length >> 1;
    flipped.fill(0xff, middle, middle + 64);
    expect((await read(flipped)).at(-1)).toBe('gzip_broken');
  });

  it('whatever they are', async () => {
    const text = fc.array(fc.string({ maxLength: 20 }).map((line) => line.replaceAll('\n', '')));
    await fc.assert(
      fc.asyncProperty(text, async (lines) => {
        const whole = lines.map((line) => `${line}\n`).join('');
        if (whole.startsWith('\u001f')) return;
        expect(await read(whole)).toEqual(lines);
      }),
      { numRuns: 50 },
    );
  });

  it('a file that is not there, and one that is a folder', async () => {
    for (const file of [join(folder, 'none'), folder]) {
      await expect(readLines(file, 10).next()).rejects.toMatchObject({ code: 'fetch_failed' });
    }
  });
});
