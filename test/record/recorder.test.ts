import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LogFormat } from '../../src/contract/decision-log.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import type { DecisionRecord } from '../../src/contract/record.ts';
import { DECISION_LINE } from '../../src/record/decision-line.ts';
import { createLogger } from '../../src/record/logger.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { createRecorder, type RecorderOptions } from '../../src/record/recorder.ts';
import { SHADOW_LINE } from '../../src/record/shadow-line.ts';
import { allow, allowed, deny, failed, http, identity, request, status, token } from './records.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-recorder-'));
let count = 0;

function setup(input: RecorderOptions['input'], sink: 'file' | 'none' = 'file', format: LogFormat = 'countersign') {
  count += 1;
  const decisionFile = join(folder, `${count}-decisions.log`);
  const logFile = join(folder, `${count}-log.log`);
  const metrics = createMetrics({ version: '1', node: '26', clock: { now: () => 0 }, status: () => status, processMetrics: false });
  const logger = createLogger({ level: 'debug' }, { file: logFile });
  const options: RecorderOptions = { sink: sink === 'none' ? 'none' : { file: decisionFile }, format, input, bufferBytesMax: 1 << 20 };
  let nowMs = 0;
  const recorder = createRecorder(options, { metrics, logger, clock: { monotonic: () => nowMs } });
  const passTime = (milliseconds: number) => {
    nowMs += milliseconds;
  };
  /** Everything that was written anywhere. */
  const end = async () => {
    await recorder.close();
    await logger.close();
    const decisions = sink === 'none' ? '' : readFileSync(decisionFile, 'utf8');
    return { decisions, log: readFileSync(logFile, 'utf8'), metrics: (await metrics.scrape()).text };
  };
  return { recorder, end, passTime };
}

describe('a recorder', () => {
  it('writes a documented line a decision, and counts it', async () => {
    const { recorder, end } = setup('referenced');
    recorder.record(allowed);
    recorder.record(failed);
    const { decisions, metrics } = await end();
    const lines = decisions.split('\n').slice(0, -1);
    expect(lines.map((line) => DECISION_LINE.parse(JSON.parse(line)).effect)).toEqual(['allow', 'deny']);
    expect(recorder.status()).toMatchObject({ written: 2, dropped: 0 });
    expect(metrics).toContain('countersign_decision_duration_seconds_count 2');
  });

  it('writes a line of its own kind for a difference, and counts no decision', async () => {
    const { recorder, end } = setup('referenced');
    recorder.recordDiff({ record: allowed, candidate: deny, input: () => ({}), reason: 'rate.exceeded', cause: null });
    const { decisions, metrics } = await end();
    expect(SHADOW_LINE.parse(JSON.parse(decisions))).toMatchObject({ kind: 'shadow_diff', reason: 'rate.exceeded' });
    expect(metrics).not.toContain('countersign_decisions_total{');
  });

  it('only counts where there is no sink', async () => {
    const { recorder, end } = setup('full', 'none');
    let asked = 0;
    recorder.record({
      ...allowed,
      input: () => {
        asked += 1;
        return null;
      },
    });
    expect((await end()).metrics).toContain('countersign_decision_duration_seconds_count 1');
    expect([asked, recorder.status()]).toMatchObject([0, { written: 0, dropped: 0 }]);
  });

  it('never throws: a line that cannot be made is counted as lost and reported, though not each time', async () => {
    const { recorder, end, passTime } = setup('full');
    const broken: DecisionRecord = {
      ...allowed,
      input: () => {
        throw new Error('no "canary" input');
      },
    };
    for (let index = 0; index < 100; index += 1) recorder.record(broken);
    recorder.record(allowed);
    passTime(10_001);
    recorder.record(broken);
    const { decisions, log } = await end();
    expect(recorder.status()).toMatchObject({ written: 1, dropped: 101 });
    expect(decisions.split('\n')).toHaveLength(2);
    const events = log
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(events).toMatchObject([
      { level: 'error', event: 'decision_record_failed', error: 'Error: no *** input' },
      { level: 'error', event: 'decision_record_failed' },
    ]);
  });
});

describe('[asks 83] secrets', () => {
  const canary = 'canary-77aa41';

  /** The document that policies read, with everything in it that a client can put there; the headers are those a careless config names. */
  const input: JsonObject = {
    request: {
      path: `/orders;s=${canary}/42`,
      path_raw: `/orders;s=${canary}/42`,
      segments: [`orders;s=${canary}`, '42'],
      query: { q: [canary], access_token: [canary] },
      headers: { 'x-custom-token': canary, 'user-agent': 'curl/8' },
      headers_all: { 'x-custom-token': [canary] },
      body: { status: 'parsed', json: { note: canary, password: canary, deep: [{ list: [canary] }] } },
    },
    context: { session: { api_key: canary } },
    signals: { token: { status: 'present', value: { claims: { refresh_token: canary } } } },
  };
  const record: DecisionRecord = {
    ...allowed,
    request: {
      ...request,
      credentials: {
        authorization: [`Bearer ${canary}`],
        apiKeys: [canary],
        dpop: [canary],
        txnToken: [canary],
        claims: { secret: canary },
        certificates: [{ form: 'pem', from: 'decide', pem: canary }],
        principal: canary,
      },
      context: { api_key: canary },
      http: {
        ...http,
        path: `/orders;${canary}/42`,
        pathRaw: `/orders;${canary}/42`,
        query: new Map([['q', [canary]]]),
        headers: new Map([
          ['x-custom-token', [canary]],
          ['cookie', [canary]],
        ]),
        body: { status: 'parsed', reason: null, contentType: 'application/json', size: 9, json: { note: canary } },
      },
    },
    identity: {
      ...identity,
      signals: {
        ...identity.signals,
        token: { status: 'present', value: { ...token, claims: { secret: canary, act: { secret: canary } } } },
      },
      subject: { ...identity.subject, properties: { secret: canary } },
      tokenKey: canary,
    },
    decision: {
      ...allow,
      effect: 'deny',
      reasons: [{ code: 'access.scope_missing', effect: 'deny', title: canary, public: true, details: { secret: canary } }],
      upstream: { headersToSet: { authorization: canary }, headersToRemove: [] },
      response: { status: 403, headers: { 'www-authenticate': canary }, body: { secret: canary } },
      obligations: [{ secret: canary }],
      error: { code: 'policy_evaluation_failed' },
      explanation: { signals: canary, verdicts: canary, rules: { canary } },
    },
    input: () => input,
    cause: new Error(`could not read "${canary}" from authorization=${canary}`, {
      cause: new SyntaxError(`Unexpected token in '${canary}'`),
    }),
  };

  it.each(['none', 'referenced', 'full'] as const)('are in no log and no metric where the input is kept as %s', async (mode) => {
    const { recorder, end } = setup(mode);
    recorder.record(record);
    const written = await end();
    expect(recorder.status()).toMatchObject({ written: 1, dropped: 0 });
    expect(JSON.stringify(written)).not.toContain(canary);
    expect(written.decisions).toContain('access.scope_missing');
  });

  it.each(['opa', 'ocsf'] as const)('are in no event of the form %s', async (format) => {
    const { recorder, end } = setup('full', 'file', format);
    recorder.record(record);
    const written = await end();
    expect(JSON.stringify(written)).not.toContain(canary);
    expect(written.decisions).toContain('access.scope_missing');
  });

  it('would be found by this test', () => {
    expect(JSON.stringify(input)).toContain(canary);
  });
});
