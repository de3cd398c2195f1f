import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LogRules } from '../../src/contract/decision-log.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import { createLogger } from '../../src/record/logger.ts';
import { createPseudonyms } from '../../src/record/pseudonyms.ts';
import { createRecorder, type RecorderOptions, type RecorderParts } from '../../src/record/recorder.ts';
import { allowed, deny, failed } from './records.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-logs-recorder-'));
let count = 0;

function setup(options: Partial<RecorderOptions> = {}, parts: Partial<RecorderParts> = {}) {
  count += 1;
  const file = join(folder, `${count}.log`);
  const logFile = join(folder, `${count}-log.log`);
  const logger = createLogger({ level: 'debug' }, { file: logFile });
  const turns: (() => void)[] = [];
  const recorder = createRecorder(
    { sink: { file }, input: 'full', bufferBytesMax: 1 << 20, labels: { id: 'i' }, ...options },
    { metrics: { count() {} }, logger, clock: { monotonic: () => performance.now() }, later: (work) => turns.push(work), ...parts },
  );
  const end = async () => {
    await recorder.close();
    await logger.close();
    const text = readFileSync(file, 'utf8');
    return {
      lines: text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
      log: readFileSync(logFile, 'utf8'),
      text,
    };
  };
  return { recorder, turns, end, logger, logFile };
}

const secret: DecisionRecord = { ...allowed, input: () => ({ secret: 1, open: 2 }) };
const saying = (mask: unknown, drop = false): LogRules => ({ mask: () => mask, drop: () => drop });
const withRules = (logRules: LogRules, record: DecisionRecord = allowed): DecisionRecord => ({ ...record, logRules });

describe('records that the policy has a say in', () => {
  it('are made off the path of the decision, and lose what is masked', async () => {
    const { recorder, turns, end } = setup();
    recorder.record(
      withRules(saying(['/input/secret', '/result/address', { op: 'upsert', path: '/result/subject/id', value: 'x' }]), secret),
    );
    recorder.record(withRules(saying([])));
    expect([turns.length, recorder.status().sinks?.[0]?.bufferedBytes]).toEqual([1, 0]);
    for (const turn of turns) turn();
    const { lines } = await end();
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ erased: ['/input/secret', '/result/address'], masked: ['/result/subject/id'], subject: { id: 'x' } });
    expect([Object.keys(lines[0]).includes('address'), lines[0].input]).toEqual([false, { open: 2 }]);
    expect(Object.keys(lines[1])).not.toContain('erased');
  });

  it('that are dropped by it are counted as that and nothing else', async () => {
    const { recorder, end } = setup();
    recorder.record(withRules(saying([], true)));
    recorder.record(allowed);
    expect((await end()).lines).toHaveLength(1);
    expect(recorder.status()).toMatchObject({ written: 1, dropped: 0, sinks: [{ filtered: 1 }] });
  });

  it.each<[string, LogRules]>([
    [
      'throws',
      {
        drop: () => false,
        mask: () => {
          throw new Error('trap');
        },
      },
    ],
    ['is no list of rules', saying('all')],
    ['has one that cannot be read', saying(['/input/subject', 'x'])],
  ])('are kept without whom they are about where the mask %s, and are counted', async (_what, rules) => {
    const { recorder, end } = setup();
    recorder.record(withRules(rules));
    const { lines, text, log } = await end();
    expect(lines[0]).toMatchObject({ decision_id: allowed.decision.id, effect: 'allow', input: null });
    expect(lines[0].erased).toEqual(expect.arrayContaining(['/input', '/result/subject', '/result/address', '/result/request']));
    expect(text).not.toMatch(/agent-7|203\.0\.113|\/orders/);
    expect([recorder.status().maskFailures, log]).toEqual([1, expect.stringContaining('decision_record_failed')]);
  });

  it('are kept where the drop rule fails', async () => {
    const { recorder, end } = setup();
    recorder.record(
      withRules({
        drop: () => {
          throw new Error('trap');
        },
        mask: () => null,
      }),
    );
    expect((await end()).lines).toHaveLength(1);
    expect(recorder.status()).toMatchObject({ written: 1, maskFailures: 1 });
  });

  it('wait for it in a bounded number, and what is beyond is counted [asks 80]', async () => {
    const { recorder, end } = setup({ bufferBytesMax: 1 << 26 });
    for (let index = 0; index < 2500; index += 1) recorder.record(withRules(saying([])));
    expect((await end()).lines).toHaveLength(2048);
    expect(recorder.status()).toMatchObject({ written: 2048, dropped: 452, sinks: [{ lost: { buffer_full: 452 } }] });
  });

  it('take differences of candidates with them', async () => {
    const { recorder, end } = setup();
    const record = withRules(saying(['/input/secret', '/result/subject']));
    recorder.recordDiff({ record, candidate: deny, input: () => ({ secret: 1, open: 2 }), reason: 'rate.exceeded', cause: null });
    const { lines } = await end();
    expect(lines[0]).toMatchObject({ kind: 'shadow_diff', input: { open: 2 }, erased: ['/input/secret', '/result/subject'] });
    expect(Object.keys(lines[0].input)).toEqual(['open']);
  });
});

describe('forms and pseudonyms', () => {
  it('are those of the sink', async () => {
    const pseudonymise = createPseudonyms({ addresses: 'truncate', clients: 'keep', key: null });
    const { recorder, end } = setup({ format: 'opa' }, { pseudonymise });
    recorder.record(allowed);
    recorder.recordDiff({ record: allowed, candidate: deny, input: () => ({}), reason: 'rate.exceeded', cause: null });
    const { lines, text } = await end();
    expect(lines).toMatchObject([{ labels: { id: 'i' }, result: { effect: 'allow', address: '203.0.113.0' } }]);
    expect(text).not.toContain('203.0.113.7');
  });
});

describe('records that must be kept', () => {
  it('are not asked for where they need not be', () => {
    expect(setup().recorder.refuses).toBeUndefined();
  });

  it('[asks 82] stop decisions where the disk is full, and are told', async () => {
    const { recorder, logger, logFile } = setup({ audit: 'required', sink: { file: '/dev/full' }, bufferBytesMax: 16_384 });
    expect(recorder.refuses?.()).toBeNull();
    recorder.record(allowed);
    await expect.poll(() => recorder.refuses?.()).toBe('audit_unavailable');
    expect(recorder.status()).toMatchObject({ dropped: 0, audit: { state: 'unavailable', local: true } });
    await recorder.close(50);
    expect(recorder.status()).toMatchObject({ written: 0, dropped: 1 });
    await logger.close();
    expect(readFileSync(logFile, 'utf8')).toMatch(/"event":"decision_log_lost","sink":"file",.*"shutdown":1/);
  });

  it.each([
    ['', undefined],
    [' and whom it is about, where its policy masks', saying([])],
  ])('are kept without their input where it cannot be had%s', async (_what, logRules) => {
    const { recorder, end } = setup({ audit: 'required' });
    const input = () => {
      throw new Error('no input');
    };
    recorder.record({ ...allowed, input, ...(logRules === undefined ? {} : { logRules }) });
    const { lines, log } = await end();
    expect(lines).toMatchObject([{ decision_id: allowed.decision.id, effect: 'allow', input: null }]);
    expect([Object.hasOwn(lines[0], 'subject'), recorder.status().written, recorder.status().dropped]).toEqual([
      logRules === undefined,
      1,
      0,
    ]);
    expect(log).toContain('decision_record_failed');
  });

  it('are kept although the buffer fills with them, and those that say they could not be are not', async () => {
    const { recorder, end } = setup({ audit: 'required', bufferBytesMax: 16_384 });
    let kept = 0;
    while (recorder.refuses?.() === null) {
      recorder.record(allowed);
      kept += 1;
    }
    const unavailable: DecisionRecord = { ...failed, decision: { ...failed.decision, error: { code: 'audit_unavailable' } } };
    for (let index = 0; index < 5; index += 1) recorder.record(unavailable);
    expect(recorder.status()).toMatchObject({ dropped: 5, audit: { state: 'unavailable', denied: 1 } });
    const { lines } = await end();
    expect([lines.length, recorder.status().written]).toEqual([kept, kept]);
  });

  it('are taken one at a time where each is larger than the buffer, and stop nothing for ever', async () => {
    const { recorder, end } = setup({ audit: 'required', bufferBytesMax: 16_384 });
    const huge = (record: DecisionRecord): DecisionRecord => ({
      ...record,
      input: () => ({ list: Array.from({ length: 20_000 }, () => 1) }),
    });
    recorder.record(huge({ ...failed, decision: { ...failed.decision, error: { code: 'audit_unavailable' } } }));
    expect(recorder.refuses?.()).toBeNull();
    recorder.record(huge(allowed));
    await expect.poll(() => recorder.refuses?.()).toBeNull();
    recorder.record(huge(allowed));
    expect((await end()).lines).toHaveLength(2);
    expect(recorder.status()).toMatchObject({ written: 2, dropped: 1 });
  });

  it('wait for their masks in a number that stops decisions and loses nothing', async () => {
    const { recorder, end } = setup({ audit: 'required', bufferBytesMax: 1 << 26 });
    let kept = 0;
    while (recorder.refuses?.() === null) {
      recorder.record(withRules(saying([])));
      kept += 1;
    }
    expect(kept).toBe(2048);
    expect((await end()).lines).toHaveLength(2048);
  });
});
