import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { createDecisionLog } from '../../src/record/decision-log.ts';
import { createOutlet, type OutletSink } from '../../src/record/log-outlet.ts';
import { createRecorder } from '../../src/record/recorder.ts';
import { allowed } from './records.ts';

function sinkOf(taken: string[], breaks = false): OutletSink {
  return {
    write(text) {
      if (breaks) throw new RangeError('Invalid string length');
      taken.push(text);
    },
    status: () => ({ written: taken.length, dropped: 0 }),
    health: () => ({ state: 'ready', bufferedBytes: 0, lost: {}, lastError: null }),
    close: () => Promise.resolve(),
  };
}

function open(...breaks: readonly boolean[]) {
  const taken: string[] = [];
  const failures: unknown[] = [];
  const outlets = breaks.map((broken, index) => createOutlet(index === 0 ? 'file' : 'http', 'countersign', sinkOf(taken, broken), {}));
  const log = createDecisionLog(
    { outlets, labels: {}, required: false },
    { pseudonymise: null, later: (work) => work(), clock: { monotonic: () => 0 }, onFailed: (thrown) => failures.push(thrown) },
  );
  const take = (line: JsonObject) => log.take({ make: () => line, record: allowed, native: false }, false);
  const counts = () => outlets.map((outlet) => [outlet.status().written, outlet.status().lost.failed]);
  return { take, counts, taken, failures };
}

describe('a record that one sink cannot take', () => {
  it.each([
    [
      'the second',
      [false, true],
      [
        [1, 0],
        [1, 1],
      ],
    ],
    [
      'the first',
      [true, false],
      [
        [1, 1],
        [1, 0],
      ],
    ],
  ] as const)('is counted there alone and is in the other: %s [asks 80]', (_which, breaks, expected) => {
    const { take, counts, taken, failures } = open(...breaks);
    take({ kind: 'decision' });
    expect([counts(), taken.length, failures.length]).toEqual([expected, 1, 1]);
  });
});

describe('texts that are no Unicode', () => {
  it('are replaced, since readers refuse a line with them, and nothing else is', () => {
    const { take, taken } = open(false);
    const line = { half: 'a\ud83d', other: '\udc00b', whole: '😀', back: '\\ud83d', both: '\\\ud83d', name: { '\ud83d': 1 } };
    take(line);
    const [text = ''] = taken;
    expect(text).not.toMatch(/(?<!\\)(\\\\)*\\ud/);
    expect(JSON.parse(text)).toEqual({
      ...{ half: 'a\ufffd', other: '\ufffdb', whole: '😀', back: '\\ud83d', both: '\\\ufffd', name: { '\ufffd': 1 } },
    });
  });
});

describe('decisions that must be recorded', () => {
  it('are not made any more once the log is closed [asks 82]', async () => {
    const quiet = (): void => undefined;
    const recorder = createRecorder(
      { sink: { file: '/dev/null' }, input: 'none', bufferBytesMax: 1 << 20, audit: 'required' },
      { metrics: { count: quiet }, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, clock: { monotonic: () => 0 } },
    );
    expect(recorder.refuses?.()).toBeNull();
    await recorder.close(100);
    expect(recorder.refuses?.()).toBe('audit_unavailable');
  });
});
