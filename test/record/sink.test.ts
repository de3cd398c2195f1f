import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { createLineSink, type SinkTarget } from '../../src/record/sink.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-sink-'));
const CHILD = join(import.meta.dirname, 'blocked-sink-child.ts');

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function open(target: SinkTarget, options: { bufferBytesMax?: number; batch?: boolean } = {}) {
  const errors: Error[] = [];
  const sink = createLineSink(target, { bufferBytesMax: 1 << 20, batch: true, onError: (error) => errors.push(error), ...options });
  return { sink, errors };
}

describe('a sink', () => {
  it.each([true, false])('hands on every line before it closes, and appends (batch: %s)', async (batch) => {
    const file = join(folder, `lines-${batch}.log`);
    for (const round of [0, 1]) {
      const { sink, errors } = open({ file }, { batch });
      for (let index = 0; index < 1000; index += 1) sink.write(`ü ${round} ${index}\n`);
      await sink.close();
      expect(sink.status()).toEqual({ written: 1000, dropped: 0 });
      expect(errors).toEqual([]);
    }
    const lines = readFileSync(file, 'utf8').split('\n');
    expect([lines.length, lines[0], lines[1999]]).toEqual([2001, 'ü 0 0', 'ü 1 999']);
  });

  it('does not keep a single line waiting for others', async () => {
    const { sink } = open({ file: join(folder, 'single.log') });
    sink.write('one\n');
    await expect.poll(() => sink.status().written).toBe(1);
    await sink.close();
  });

  it('drops what does not fit, and what comes after it was closed', async () => {
    const { sink } = open({ file: join(folder, 'small.log') }, { bufferBytesMax: 20_000 });
    sink.write(`${'x'.repeat(30_000)}\n`);
    sink.write('short\n');
    await sink.close();
    sink.write('late\n');
    expect(sink.status()).toEqual({ written: 1, dropped: 2 });
    expect(readFileSync(join(folder, 'small.log'), 'utf8')).toBe('short\n');
  });

  it('refuses to start where its file cannot be opened', () => {
    expect(() => open({ file: join(folder, 'none', 'x.log') })).toThrow(CountersignError);
    expect(() => open({ file: folder })).toThrow('decisions.log.sink.file');
  });

  it('reports a full disk, counts what is lost, and closes all the same', async () => {
    const { sink, errors } = open({ file: '/dev/full' }, { bufferBytesMax: 20_000 });
    for (let index = 0; index < 1000; index += 1) sink.write(`${'x'.repeat(99)}\n`);
    await expect.poll(() => errors.length).toBeGreaterThan(0);
    expect(errors[0]).toMatchObject({ code: 'ENOSPC' });
    await sink.close(200);
    expect(sink.status()).toEqual({ written: 0, dropped: 1000 });
  });
});

describe('a stdout that nobody reads', () => {
  type Report = { grown: number; written: number; dropped: number };

  /** Starts a process that records `count` decisions into a stdout that is not read. */
  async function blocked(count: number, boundMs: number, stdout: 'pipe' | number) {
    const child = fork(CHILD, [String(count), String(boundMs)], { execArgv: ['--expose-gc'], stdio: ['ignore', stdout, 'inherit', 'ipc'] });
    children.push(child);
    const [report]: Report[] = await once(child, 'message');
    if (report === undefined) throw new Error('the child said nothing');
    return { child, report };
  }

  it('[asks 80, 81] costs lines and no memory, and every missing line is counted', async () => {
    const count = 100_000;
    const { child, report } = await blocked(count, 10_000, 'pipe');
    const { stdout } = child;
    if (stdout === null) throw new Error('there is no stdout');
    // 100,000 lines are about 80 MB
    expect(report.grown).toBeLessThan(8_000_000);
    expect(report.dropped).toBeGreaterThan(count / 2);

    let text = '';
    stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.send('close');
    const [[after]] = await Promise.all([once(child, 'message'), once(stdout, 'close')]);
    const lines = text.split('\n').slice(0, -1);
    for (const line of lines) JSON.parse(line);
    expect(after).toMatchObject({ written: lines.length, dropped: count - lines.length });
    expect(lines.length).toBeGreaterThan(0);
  });

  it('does not keep the process from ending, also where it is a pipe that is full', async () => {
    const fifo = join(folder, 'fifo');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    // opened for both directions, so that neither end waits for the other
    const pipe = openSync(fifo, constants.O_RDWR);
    const { child } = await blocked(5000, 100, pipe);
    const exited = once(child, 'exit');
    child.send('close');
    const [report]: Report[] = await once(child, 'message');
    expect(report?.dropped).toBeGreaterThan(4000);
    expect((report?.written ?? 0) + (report?.dropped ?? 0)).toBe(5000);
    expect(await exited).toEqual([0, null]);
    closeSync(pipe);
  });
});
