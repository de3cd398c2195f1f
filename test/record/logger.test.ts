import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import type { Logger } from '../../src/contract/stages.ts';
import { createLogger, type LoggerOptions } from '../../src/record/logger.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-logger-'));
let count = 0;

/** The lines that are written by what is done with a logger. */
async function linesOf(
  level: LoggerOptions['level'],
  use: (logger: Logger) => void,
): Promise<{ text: string; lines: Record<string, unknown>[] }> {
  count += 1;
  const file = join(folder, `${count}.log`);
  const logger = createLogger({ level }, { file });
  use(logger);
  await logger.close();
  const text = readFileSync(file, 'utf8');
  return {
    text,
    lines: text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  };
}

describe('the operational log', () => {
  it('has an event, its level, its time, and plain fields', async () => {
    const { lines } = await linesOf('debug', (logger) => {
      logger.debug('starting');
      logger.info('policy_activated', { name: 'default', rules: 14 });
      logger.warn('keys_stale', { issuer: 'https://as.example' });
      logger.error('listener_failed', { port: 8080 });
    });
    expect(lines).toEqual([
      { level: 'debug', time: expect.any(String), kind: 'log', event: 'starting' },
      { level: 'info', time: expect.any(String), kind: 'log', event: 'policy_activated', name: 'default', rules: 14 },
      { level: 'warn', time: expect.any(String), kind: 'log', event: 'keys_stale', issuer: 'https://as.example' },
      { level: 'error', time: expect.any(String), kind: 'log', event: 'listener_failed', port: 8080 },
    ]);
    expect(new Date(String(lines[0]?.['time'])).toISOString()).toBe(lines[0]?.['time']);
  });

  it.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ] as const)('writes at level %s %i of four lines', async (level, wanted) => {
    const { lines } = await linesOf(level, (logger) => {
      for (const one of ['debug', 'info', 'warn', 'error'] as const) logger[one]('event');
    });
    expect(lines).toHaveLength(wanted);
  });

  it('hides what is under the name of a secret, and what errors quote', async () => {
    const { text, lines } = await linesOf('debug', (logger) => {
      logger.error('failed', {
        authorization: 'canary',
        headers: { cookie: 'canary', 'x-custom-token': ['canary'], accept: '*/*' },
        password: 123,
        token: { status: 'invalid', code: 'token_expired' },
        error: new CountersignError('fetch_failed', { cause: new Error('got "canary"') }),
        nested: [{ error: new SyntaxError('Unexpected "canary"') }],
      });
    });
    expect(text).not.toContain('canary');
    expect(lines[0]).toMatchObject({
      headers: { accept: '*/*' },
      token: { status: 'invalid', code: 'token_expired' },
      error: 'fetch_failed: The document could not be fetched <- Error: got ***',
      password: '***',
    });
  });

  it('keeps its own names, and takes values of any kind', async () => {
    const endless: Record<string, unknown> = {};
    endless['again'] = endless;
    const { lines } = await linesOf('info', (logger) => {
      logger.info('odd', {
        event: 'x',
        level: 'y',
        time: 1,
        kind: 2,
        big: 1n,
        no: undefined,
        f: () => 1,
        nan: Number.NaN,
        endless,
        long: 'x'.repeat(9999),
      });
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      event: 'odd',
      level: 'info',
      kind: 'log',
      field_event: 'x',
      field_kind: 2,
      big: '1',
      no: null,
      nan: 'NaN',
    });
    expect(JSON.stringify(lines[0]).length).toBeLessThan(3000);
  });
});
