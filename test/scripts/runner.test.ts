import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { run, Stop } from '../../scripts/run.mjs';
import { runSteps } from '../../scripts/verify/runner.mjs';

describe('the steps of verify', () => {
  let printed: string[] = [];
  beforeEach(() => {
    printed = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => void vi.restoreAllMocks());

  const passing = async () => ({ ok: true });

  test('a failing one hides only those that build on it, and fails the whole', async () => {
    const ran: string[] = [];
    const step = (id: string, needs: string[], ok: boolean) => ({
      id,
      title: id,
      needs,
      run: async () => {
        ran.push(id);
        if (!ok) throw new Stop(`${id} is missing`);
        return { ok };
      },
    });
    const passed = await runSteps([step('a', [], false), step('b', ['a'], true), step('c', ['b'], true), step('d', [], true)]);
    expect(passed).toBe(false);
    expect(ran).toEqual(['a', 'd']);
    expect(printed.at(-1)).toBe('\n1 passed, 3 failed, 0 skipped');
    expect(printed.filter((line) => line.includes('not run, since this failed: '))).toHaveLength(2);
  });

  test('a test run counts as its tests', async () => {
    const totals = { passed: 5, failed: 0, skipped: 1 };
    expect(
      await runSteps([
        { id: 'a', title: 'a', run: passing },
        { id: 'b', title: 'b', run: async () => ({ ok: true, totals }) },
      ]),
    ).toBe(true);
    expect(printed.at(-1)).toBe('\n6 passed, 0 failed, 1 skipped');
  });
});

describe('a program that is run', () => {
  test('tells its end, its output and its absence', async () => {
    expect(await run('node', ['-e', 'console.log(1); process.exitCode = 3'])).toMatchObject({
      ok: false,
      code: 3,
      stdout: '1\n',
      problem: 'node ended with 3',
    });
    expect((await run('countersign-no-such-program', [])).problem).toMatch(/could not be started/);
  });

  test('is ended when it takes too long', async () => {
    const ran = await run('node', ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 300 });
    expect(ran.problem).toBe('node did not end within 0.3 s');
  });
});
