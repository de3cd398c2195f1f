import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DECISION_LINE } from '../../src/record/decision-line.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/decision-log.md'), 'utf8');

describe('docs/decision-log.md', () => {
  it('explains the members of a line, no more and no less', () => {
    const cells = [...text.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, cell]) =>
      [...(cell ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(cells).toEqual(Object.keys(DECISION_LINE.shape));
  });

  it('shows a line that has the form', () => {
    const [, example = ''] = /```json\n(.+)\n```/.exec(text) ?? [];
    expect(DECISION_LINE.safeParse(JSON.parse(example))).toMatchObject({ success: true });
  });
});
