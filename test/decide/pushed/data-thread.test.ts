import { afterEach, describe, expect, test } from 'vitest';
import type { DataJob } from '../../../src/decide/pushed/data-job.ts';
import { createDataThread, type DataThreadOptions } from '../../../src/decide/pushed/data-thread.ts';

const WORKER = new URL('../../../src/compose/data-worker.ts', import.meta.url);
const JOB: DataJob = { kind: 'open', policy: 'default', file: new Uint8Array([1, 2, 3]) };
const code = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

let stop = (): void => undefined;
afterEach(() => stop());
function thread(more: Partial<DataThreadOptions> = {}) {
  const made = createDataThread({ worker: WORKER, timeoutMs: 20_000, heapMbMax: 256, jobsMax: 4, ...more });
  stop = made.stop;
  return made.run;
}

describe('the thread of pushed data', () => {
  test('answers a job', async () => {
    expect(await thread()(JOB)).toMatchObject({ kind: 'refused', refused: 'state_invalid' });
  });

  test.each<[string, URL, string]>([
    ['hangs', code('setInterval(() => {}, 1000)'), 'not done within 300 ms'],
    ['fails', code('throw new Error("s3cr3t")'), 'could not be prepared'],
    ['ends', code('process.exit(0)'), 'the thread ended'],
    ['cannot be started', new URL('https://none.example/'), 'no thread could be started'],
    ['is not there', new URL('file:///none.js'), 'could not be prepared'],
  ])('that %s refuses its job, and the next one has another', async (_name, worker, detail) => {
    const run = thread({ worker, timeoutMs: 300 });
    const [first, second] = await Promise.all([run(JOB), run(JOB)]);
    expect(first).toMatchObject({ kind: 'refused', refused: 'data_preparation_failed', detail: expect.stringContaining(detail) });
    expect(JSON.stringify(first)).not.toContain('s3cr3t');
    expect(second).toEqual(first);
  });

  test('takes so many jobs and no more, one after the other', async () => {
    const run = thread({ jobsMax: 2 });
    const outcomes = await Promise.all([run(JOB), run(JOB), run(JOB)]);
    expect(outcomes.map((one) => (one.kind === 'refused' ? one.refused : one.kind))).toEqual([
      'state_invalid',
      'state_invalid',
      'overloaded',
    ]);
    expect(await run(JOB)).toMatchObject({ refused: 'state_invalid' });
  });

  test('that is stopped refuses what it works on and what comes', async () => {
    const run = thread({ worker: code('setInterval(() => {}, 1000)') });
    const working = run(JOB);
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop();
    expect(await working).toMatchObject({ detail: 'stopped' });
    expect(await run(JOB)).toMatchObject({ detail: 'stopped' });
  });
});
