import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Question, Report } from '../../src/client/question.ts';
import { OUTCOMES } from '../../src/contract/behaviour.ts';
import { DecideBody } from '../../src/endpoints/decide/schema.ts';
import { FeedbackBody } from '../../src/endpoints/feedback/receive.ts';
import { PROJECT_ROOT } from '../support/countersign.ts';
import { at, isNode, type Node } from '../support/openapi.ts';

const DOCUMENT: Node = JSON.parse(readFileSync(join(PROJECT_ROOT, 'docs/openapi.json'), 'utf8'));
const schema = (name: string): Node => at(DOCUMENT, 'components', 'schemas', name);

/** Every member that the type has. */
const QUESTION = {
  request: {
    ...{ id: 'r', method: 'GET', scheme: 'https', host: 'api.example', path: '/a' },
    ...{ headers: { a: 'b', c: ['d', 'e'] }, body: '{}', body_truncated: false },
  },
  source: { ip: '203.0.113.7', port: 1, forwarded_for: ['203.0.113.7'] },
  token: { claims: { sub: 'a' } },
  certificate: {
    ...{
      pem: 'p',
      sha256: '0'.repeat(64),
      subject: 's',
      issuer: 'i',
      serial: '1',
      uris: ['spiffe://a/b'],
      dns: ['a.example'],
      not_after: 1,
    },
  },
  tls: { sni: 'a.example', version: 'TLSv1.3', ja3: 'j', ja4: 'j' },
  rate: { count: 1, window_seconds: 60 },
  subject: { type: 'user', id: 'a', properties: {} },
  action: { name: 'read', properties: {} },
  resource: { type: 'doc', id: '1', properties: {} },
  context: { a: 1 },
  policy: 'default',
} satisfies Question;
const REPORT = { decision_id: 'd', outcome: 'success', status: 200, cost: { tokens: 1 } } satisfies Report;

/** Dotted names of all members that have a schema of their own. */
function named(node: Node, prefix = ''): string[] {
  return Object.entries(at(node, 'properties')).flatMap(([name, inner]) => [
    `${prefix}${name}`,
    ...(isNode(inner) ? named(inner, `${prefix}${name}.`) : []),
  ]);
}
function members(value: unknown, names: ReadonlySet<string>, prefix = ''): string[] {
  if (!isNode(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`;
    return names.has(path) ? [path, ...members(inner, names, `${path}.`)] : prefix === '' ? [path] : [];
  });
}

test.each([
  ['DecideQuestion', QUESTION],
  ['Report', REPORT],
])('the type of the client has the members of %s, all of them and no others', (name, value) => {
  const documented = named(schema(name));
  expect(members(value, new Set(documented)).sort()).toEqual(documented.sort());
});

test('what the type allows is taken', () => {
  expect(DecideBody.safeParse(QUESTION).error).toBeUndefined();
  const outcomes: Report['outcome'][] = ['success', 'failure', 'error', 'abuse'];
  expect(outcomes).toEqual(OUTCOMES);
  for (const outcome of outcomes) expect(FeedbackBody.safeParse({ ...REPORT, outcome }).success).toBe(true);
});
