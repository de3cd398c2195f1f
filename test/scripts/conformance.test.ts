import { describe, expect, test } from 'vitest';
import { Known, Report, tally } from '../../scripts/conformance/tally.ts';

const known = Known.parse({
  topics: { jose: ['jose.test.ts'], oauth: ['act.test.ts'] },
  refused: [{ topic: 'jose', in: 'block', reason: 'a reason that says why it is so', cases: ['a'] }],
});

type Made = { readonly title: string; readonly status?: string; readonly refused?: boolean };

function report(file: string, ...tests: Made[]): Report {
  const assertionResults = tests.map(({ title, status = 'passed', refused }) => ({
    ancestorTitles: ['block'],
    title,
    status,
    meta: refused === undefined ? {} : { refusedOnPurpose: refused },
  }));
  return Report.parse({ testResults: [{ name: `/x/${file}`, assertionResults }] });
}

const problems = (made: Report, only: string | null = 'jose'): string[] => tally(made, known, only).flatMap((one) => one.problems);

describe('the table', () => {
  test('tells passed, refused on purpose with its reason, and failed apart', () => {
    const [jose] = tally(
      report('jose.test.ts', { title: 'a with a comment', refused: true }, { title: 'b' }, { title: 'c', status: 'failed' }),
      known,
      'jose',
    );
    expect(jose).toMatchObject({ topic: 'jose', cases: 3, passed: 1, refused: 1, failed: 1, problems: ['block: c'] });
    expect([...(jose?.reasons ?? [])]).toEqual([['a reason that says why it is so', 1]]);
  });

  test('a refusal without a reason, and a reason without a refusal, are failures', () => {
    expect(problems(report('jose.test.ts', { title: 'a', refused: true }, { title: 'z', refused: true }))).toEqual([
      'block: z is refused, and known.yaml has no reason for it',
    ]);
    expect(problems(report('jose.test.ts', { title: 'a' }))).toEqual(['block: a is listed in known.yaml, and is not refused']);
    expect(problems(report('jose.test.ts', { title: 'b' }))).toEqual(['block: a is listed in known.yaml, and is not refused']);
  });

  test('so are a file without a topic and a file that could not be run', () => {
    expect(problems(report('new.test.ts', { title: 'a' }), null)).toContain('new.test.ts is in no topic of known.yaml');
    expect(problems(report('act.test.ts'), 'oauth')).toEqual(['act.test.ts could not be run: ']);
  });

  test('another topic is left out', () => {
    expect(
      tally(report('jose.test.ts', { title: 'x', status: 'failed' }), known, 'oauth').map(({ topic, cases }) => ({ topic, cases })),
    ).toEqual([{ topic: 'oauth', cases: 0 }]);
  });
});
