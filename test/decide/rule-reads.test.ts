import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PARSE_QUERY, parseInput, placesOf, readsIn } from '../../src/decide/rule-metadata.ts';
import { opa } from './fixtures.ts';

function readsOf(sources: Record<string, string>) {
  const scratch = mkdtempSync(join(tmpdir(), 'countersign-explain-reads-'));
  try {
    const file = join(scratch, 'sources.json');
    writeFileSync(file, parseInput(new Map(Object.entries(sources))));
    return readsIn(JSON.parse(opa(['eval', '-f', 'json', '-i', file, PARSE_QUERY])));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const LIB = `package countersign.lib.route

public if input.route.public == true

unused if input.unused
`;
const RULE = `package countersign.rules.a.b

import data.countersign.lib.route

verdict := "deny" if {
	route.public
	token := input.signals.token.value
	token.age_seconds > data.countersign.limits.ages[input.route.tier].max
	_fresh(token)
} else := "clear" if {
	some list in input.signals.network.value.lists
	list.name == "x"
}

_fresh(one) if {
	one.issued_at < input.time.unix_seconds
}

_never if input.never
`;

test('finds what a rule refers to: by variables, by its libraries, by its helpers, in every branch; and nothing that it does not use', () => {
  const reads = readsOf({ 'countersign/lib/route.rego': LIB, 'countersign/rules/a/b.rego': RULE });
  const paths = (list: readonly (readonly string[])[] = []) => list.map((path) => path.join('.'));
  expect(paths(reads.get('a.b')?.input)).toEqual([
    'route.public',
    'route.tier',
    'signals.network.value.lists',
    'signals.token.value.age_seconds',
    'time.unix_seconds',
  ]);
  expect(paths(reads.get('a.b')?.data)).toEqual(['countersign.limits.ages']);
  expect([...reads.keys()]).toEqual(['a.b']);
});

test('says where a rule is written, and nothing of what is no rule', () => {
  const places = placesOf(
    new Map([
      ['x/b.rego', RULE],
      ['x/lib.rego', LIB],
    ]),
  );
  expect([...places]).toEqual([['a.b', 'x/b.rego:5']]);
  expect(readsIn({ result: [] }).size).toBe(0);
  expect(readsIn(null).size).toBe(0);
});
