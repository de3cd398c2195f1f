import { describe, expect, it } from 'vitest';
import { parseLine } from '../../src/replay/parse-line.ts';

const LINE = {
  kind: 'decision',
  time: '2026-01-31T12:00:00.123Z',
  decision_id: 'd',
  pep: 'edge',
  policy: { name: 'default', revision: 'r1' },
  effect: 'allow',
  reasons: ['access.scope_granted'],
  status: null,
  input: { subject: { id: 'x' } },
};
const inputOf = (more: object) => {
  const parsed = parseLine(Buffer.from(JSON.stringify({ ...LINE, ...more })));
  return parsed.kind === 'decision' ? parsed.record.input : parsed;
};

describe('a line that was masked', () => {
  it.each([
    ['nothing was taken from', {}, LINE.input],
    ['something was taken from', { erased: ['/result/subject'] }, null],
    ['something was replaced in', { masked: ['/input'] }, null],
  ])('that %s is decided again only where it is whole', (_what, more, input) => {
    expect(inputOf(more)).toEqual(input);
  });
});
