import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { openLogFile, type Rotation } from '../../src/record/log-file.ts';
import { createLineSink } from '../../src/record/sink.ts';

/** The machine may be busy. */
const until = <T>(read: () => T) => expect.poll(read, { timeout: 10_000, interval: 3 });

function open(rotation: Rotation | null, folder = mkdtempSync(join(tmpdir(), 'countersign-logs-file-'))) {
  const file = join(folder, 'decisions.log');
  let nowMs = 1_000_000_000_000;
  const errors: Error[] = [];
  const sink = createLineSink(
    { file, rotation, now: () => nowMs },
    { bufferBytesMax: 1 << 20, batch: false, onError: (error) => errors.push(error) },
  );
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const pass = (ms: number) => {
    nowMs += ms;
  };
  let count = 0;
  /** Writes a line that says which it is, and waits for it. */
  const line = async (bytes = 20) => {
    count += 1;
    sink.write(`${String(count).padEnd(bytes - 1)}\n`);
    const wanted = count;
    await until(() => sink.status().written).toBe(wanted);
  };
  const numbers = (name: string) => [...readFileSync(join(folder, name), 'utf8').matchAll(/^\d+/gm)].map(([number]) => Number(number));
  return { sink, file, folder, errors, pass, line, numbers };
}

describe('a log file', () => {
  it('is its owner’s alone', async () => {
    const { line, file } = open(null);
    await line();
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
  });

  it('is put aside when it is full, and so many of those stay', async () => {
    const { line, folder, numbers, sink } = open({ bytesMax: 100, ageMax: null, keep: 2 });
    for (let index = 0; index < 12; index += 1) await line(40);
    await sink.close();
    expect(readdirSync(folder).sort()).toEqual(['decisions.log', 'decisions.log.1', 'decisions.log.2']);
    expect([numbers('decisions.log.2'), numbers('decisions.log.1'), numbers('decisions.log')]).toEqual([
      [7, 8],
      [9, 10],
      [11, 12],
    ]);
    expect((statSync(join(folder, 'decisions.log')).mode & 0o777).toString(8)).toBe('600');
  });

  it('is put aside when it is old, but not while nothing is in it', async () => {
    const { line, pass, folder, numbers } = open({ bytesMax: null, ageMax: 60, keep: 3 });
    pass(70_000);
    await line();
    pass(59_000);
    await line();
    pass(61_000);
    await line();
    expect(readdirSync(folder).sort()).toEqual(['decisions.log', 'decisions.log.1']);
    expect([numbers('decisions.log.1'), numbers('decisions.log')]).toEqual([[1, 2], [3]]);
  });

  it('takes a single line that is larger than a file may be', async () => {
    const { line, folder } = open({ bytesMax: 100, ageMax: null, keep: 3 });
    await line(500);
    await line(500);
    expect(readdirSync(folder).sort()).toEqual(['decisions.log', 'decisions.log.1']);
  });

  it.each([
    ['moved', (file: string) => renameSync(file, `${file}.moved`)],
    ['removed', (file: string) => rmSync(file)],
  ])('is followed by its name where another program has %s it', async (_what, change) => {
    const { line, file, pass, numbers } = open(null);
    await line();
    change(file);
    pass(1100);
    await line();
    expect(numbers('decisions.log')).toEqual([2]);
  });

  it('grows no larger than it may where lines had to wait', async () => {
    const { line, folder, sink, errors } = open({ bytesMax: 100_000, ageMax: null, keep: 20 });
    await line(99_000);
    mkdirSync(join(folder, 'decisions.log.20', 'x'), { recursive: true });
    for (let index = 0; index < 4000; index += 1) sink.write(`${String(index).padEnd(99)}\n`);
    await until(() => errors.length).toBeGreaterThan(0);
    rmSync(join(folder, 'decisions.log.20'), { recursive: true });
    await until(() => sink.status().written).toBe(4001);
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100_000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(99_000 + 400_000);
  });

  it('is not put aside for a piece that is only tried again', () => {
    const { folder, file } = open(null);
    const opened = openLogFile(file, { bytesMax: 100, ageMax: null, keep: 3 }, () => 0);
    const first = opened.next(500);
    writeFileSync(first, 'x'.repeat(200));
    expect([opened.again(300), opened.again(300), opened.again(300)]).toEqual([first, first, first]);
    expect(readdirSync(folder)).toEqual(['decisions.log']);
    opened.close();
  });

  it('has in it what was tried again in another one', () => {
    const { folder, file } = open(null);
    let nowMs = 0;
    const opened = openLogFile(file, { bytesMax: 100, ageMax: null, keep: 3 }, () => nowMs);
    opened.next(90);
    renameSync(file, `${file}.moved`);
    nowMs += 1100;
    opened.again(80);
    opened.next(30);
    expect(readdirSync(folder).sort()).toEqual(['decisions.log', 'decisions.log.1', 'decisions.log.moved']);
    opened.close();
  });

  it('is put aside by its age also where the clock was set back', async () => {
    const { line, pass, folder } = open({ bytesMax: null, ageMax: 60, keep: 3 });
    await line();
    pass(-1_000_000);
    await line();
    pass(61_000);
    await line();
    expect(readdirSync(folder).sort()).toEqual(['decisions.log', 'decisions.log.1']);
  });

  it('that another program has just moved away is followed, and not put aside', async () => {
    const { line, folder, file, errors, numbers } = open({ bytesMax: 100, ageMax: null, keep: 3 });
    await line(90);
    renameSync(file, `${file}.moved`);
    await line(90);
    expect([errors, readdirSync(folder).sort(), numbers('decisions.log')]).toEqual([[], ['decisions.log', 'decisions.log.moved'], [2]]);
  });

  it('leaves no more than it keeps, also where it kept more before', async () => {
    const { line, folder } = open({ bytesMax: 100, ageMax: null, keep: 2 });
    for (const at of [1, 2, 3, 4, 6]) writeFileSync(join(folder, `decisions.log.${at}`), 'old');
    for (let index = 0; index < 2; index += 1) await line(90);
    expect(readdirSync(folder).sort()).toEqual(['decisions.log', 'decisions.log.1', 'decisions.log.2']);
  });

  it('loses no line where it cannot be put aside for a while', async () => {
    const { line, folder, sink, errors, numbers } = open({ bytesMax: 100, ageMax: null, keep: 1 });
    await line(90);
    // a folder of that name that has something in it
    mkdirSync(join(folder, 'decisions.log.1', 'x'), { recursive: true });
    sink.write(`2${' '.repeat(80)}\n`);
    await until(() => errors.length).toBeGreaterThan(0);
    expect(sink.health().state).toBe('failing');
    rmSync(join(folder, 'decisions.log.1'), { recursive: true });
    await until(() => sink.status().written).toBe(2);
    expect([sink.health(), numbers('decisions.log'), numbers('decisions.log.1')]).toMatchObject([
      { state: 'ready', lastError: null },
      [2],
      [1],
    ]);
  });
});

const disk = mkdtempSync(join(tmpdir(), 'countersign-logs-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0;
if (mounted) spawnSync('umount', ['-l', disk]);
afterAll(() => rmSync(disk, { recursive: true }));

describe.runIf(mounted)('a disk that is full', () => {
  it('[asks 80] costs no line that there is room for in memory, and every one is there once when there is room again', async () => {
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status).toBe(0);
    onTestFinished(() => void spawnSync('umount', ['-l', disk]));
    writeFileSync(join(disk, 'filler'), Buffer.alloc(48_000));
    const errors: Error[] = [];
    const file = join(disk, 'decisions.log');
    const sink = createLineSink({ file }, { bufferBytesMax: 30_000, batch: true, onError: (error) => errors.push(error) });
    for (let index = 0; index < 1000; index += 1) sink.write(`${String(index).padEnd(99)}\n`);
    await until(() => errors.at(0)).toMatchObject({ code: 'ENOSPC' });
    expect(sink.health()).toMatchObject({ state: 'failing', lastError: 'ENOSPC', lost: { buffer_full: 700 } });
    rmSync(join(disk, 'filler'));
    await until(() => sink.health().bufferedBytes).toBe(0);
    await sink.close();
    const numbers = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    expect(numbers).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect([sink.status(), sink.health().state]).toEqual([{ written: 300, dropped: 700 }, 'ready']);
  });

  it('puts no file aside for being tried again', async () => {
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status).toBe(0);
    onTestFinished(() => void spawnSync('umount', ['-l', disk]));
    writeFileSync(join(disk, 'filler'), Buffer.alloc(48_000));
    const rotation = { bytesMax: 20_000, ageMax: null, keep: 3 };
    const file = join(disk, 'decisions.log');
    const sink = createLineSink({ file, rotation, now: () => 0 }, { bufferBytesMax: 60_000, batch: true, onError: () => {} });
    for (let index = 0; index < 600; index += 1) sink.write(`${String(index).padEnd(99)}\n`);
    await until(() => sink.health().state).toBe('failing');
    // several times
    await new Promise((resolve) => setTimeout(resolve, 120));
    rmSync(join(disk, 'filler'));
    await sink.close(5000);
    // the first quarter was put aside for the rest, which is one piece, and longer than a file may be
    expect(readdirSync(disk).sort()).toEqual(['decisions.log', 'decisions.log.1']);
    expect([statSync(`${file}.1`).size, statSync(file).size]).toEqual([15_000, 45_000]);
  });

  it('is left where the name leads to another one, and no line is lost or torn that is not whole there', async () => {
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status).toBe(0);
    onTestFinished(() => void spawnSync('umount', ['-l', disk]));
    writeFileSync(join(disk, 'filler'), Buffer.alloc(48_000));
    const folder = mkdtempSync(join(tmpdir(), 'countersign-logs-other-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [file, full, other] = [join(folder, 'decisions.log'), join(disk, 'decisions.log'), join(folder, 'other.log')];
    symlinkSync(full, file);
    let nowMs = 0;
    const sink = createLineSink({ file, now: () => nowMs }, { bufferBytesMax: 60_000, batch: true, onError: () => {} });
    for (let index = 0; index < 300; index += 1) sink.write(`${String(index).padEnd(99)}\n`);
    await until(() => sink.health().state).toBe('failing');
    rmSync(file);
    symlinkSync(other, file);
    nowMs += 1100;
    await until(() => sink.health().bufferedBytes).toBe(0);
    await sink.close();
    const whole = [full, other]
      .flatMap((path) =>
        readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line.length === 99),
      )
      .map(Number);
    expect(whole).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect(readFileSync(other, 'utf8')).toMatch(/^\d+ +\n/);
    expect(sink.status()).toEqual({ written: 300, dropped: 0 });
  });
});
