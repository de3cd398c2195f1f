import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseRecords } from '../../src/registry/parse-records.ts';
import { parseRevocations } from '../../src/registry/parse-revocations.ts';
import { problemTexts } from '../../src/registry/problem.ts';
import { PROJECT_ROOT } from '../support/countersign.ts';
import { fencedBlocks } from '../support/markdown.ts';

const blocks = fencedBlocks(readFileSync(join(PROJECT_ROOT, 'docs/registry.md'), 'utf8')).filter(({ info }) => info === 'yaml');
const blockOf = (list: string): string => blocks.find(({ text }) => text.startsWith(`${list}:`))?.text ?? '';

it('the clients that docs/registry.md shows are sound', () => {
  const { clients, problems } = parseRecords([{ name: 'doc.yaml', text: blockOf('clients') }], { entriesMax: 10, hashKeyIds: [] });
  expect([clients.map(({ id }) => id), problemTexts(problems)]).toEqual([['billing-agent'], []]);
});

it('the revocations that it shows are sound, one of each kind', () => {
  const { revocations, problems } = parseRevocations([{ name: 'doc.yaml', text: blockOf('revocations') }], { entriesMax: 10 });
  expect(problemTexts(problems)).toEqual([]);
  expect(new Set(revocations.map(({ kind }) => kind)).size).toBe(7);
});
