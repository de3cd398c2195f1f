import { describe, expect, test } from 'vitest';
import { BuiltinLimitError, type Moment } from '../../../src/decide/builtins/builtin.ts';
import { BUILTINS, missingBuiltins } from '../../../src/decide/builtins/table.ts';
import { isArray, isObject, type RegoValue } from '../../../src/decide/builtins/value.ts';
import { createAuthority } from '../../support/certificates.ts';

const MOMENT: Moment = { nowNs: 1_700_000_000_123_000_000n, seed: '01234567-89ab-7def-8123-456789abcdef' };

function run(name: string, ...values: RegoValue[]): RegoValue | undefined {
  const builtin = BUILTINS[name];
  if (builtin === undefined) throw new Error(`no builtin ${name}`);
  return builtin(values, () => MOMENT);
}

/** A token within a token, so often. */
function nested(times: number): string {
  let token = `${Buffer.from('{}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.AAAA`;
  for (let time = 0; time < times; time++)
    token = `${[Buffer.from('{"cty":"JWT"}'), Buffer.from(token)].map((part) => part.toString('base64url')).join('.')}.AAAA`;
  return token;
}

const ADD = new Map<RegoValue, RegoValue>([
  ['op', 'add'],
  ['path', '/key-0'],
  ['value', 1],
]);

function copyOfAll(index: number): RegoValue {
  return new Map([
    ['op', 'copy'],
    ['from', ''],
    ['path', `/k${index}`],
  ]);
}

/** A certificate with so many names. */
function certificateOf(names: number): string {
  const uris = Array.from({ length: names }, (_, index) => `a://n${index}`);
  return createAuthority('Many names', { uris }).pem;
}

describe('what would make a decision slow or large ends it', () => {
  const patches = Array.from({ length: 1001 }, () => new Map<RegoValue, RegoValue>());
  const nodes = Array.from({ length: 12 }, (_, index) => index);
  const complete = new Map<RegoValue, RegoValue>(nodes.map((node) => [node, nodes]));
  const nodes3000 = Array.from({ length: 3000 }, (_, index) => index);
  const many = Array.from({ length: 1100 }, (_, index) => `t${index}`);
  const networks = Array.from({ length: 10_001 }, () => '10.0.0.0/8');
  const cases: readonly (readonly [string, ...RegoValue[]])[] = [
    ['net.cidr_expand', '10.0.0.0/8'],
    ['net.cidr_expand', '10.0.0.0/19'],
    ['net.cidr_expand', '::/0'],
    ['net.cidr_merge', networks],
    ['net.cidr_contains_matches', networks, networks.slice(0, 100)],
    ['graph.reachable_paths', complete, [0]],
    ['json.patch', new Map(), patches],
    ['numbers.range_step', 0, 10_000_000, 1],
    ['strings.any_prefix_match', many, many],
    ['sprintf', '%999999999d', [1]],
    ['sprintf', '%*d', [999_999, 1]],
    ['units.parse', '1e999999'],
    ['units.parse_bytes', '1e-99999'],
    ['regex.split', '(a*)*b', 'a'.repeat(1_000_000)],
    ['regex.replace', 'a'.repeat(50_000), `${'(x+x+)+'.repeat(50)}y`, ''],
    ['regex.find_n', 'a'.repeat(5000), 'a', 1],
    ['yaml.unmarshal', 'a'.repeat(8_193)],
    ['crypto.x509.parse_certificates', 'a'.repeat(70_000)],
    // each match looks at all the text that is left before it settles for less
    ['regex.replace', 'a'.repeat(16_000), 'a+b|a', 'x'],
    ['regex.find_n', '.*;|.', 'a'.repeat(16_000), -1],
    ['regex.split', '.*;|.', 'a'.repeat(16_000)],
    ['regex.split', '(a{1000})'.repeat(400), 'a'],
    ['graph.reachable_paths', new Map(nodes3000.map((node) => [node, [node + 1]])), [0]],
    ['indexof_n', 'a'.repeat(64_000), 'a'.repeat(32_000)],
    ['io.jwt.decode', `e30.${'A'.repeat(70_000)}.AAAA`],
    ['io.jwt.verify_rs256', 'e30.e30.AAAA', ' '.repeat(300_000)],
    ['io.jwt.verify_rs256', 'e30.e30.AAAA', JSON.stringify({ keys: Array(101).fill({ kty: 'oct' }) })],
    ['io.jwt.decode', nested(9)],
    ['crypto.x509.parse_certificates', certificateOf(1001)],
    ['json.patch', new Map([['a', 1]]), Array.from({ length: 40 }, (_, index) => copyOfAll(index))],
    ['json.patch', new Map(nodes3000.map((node) => [`key-${node}`, 'x'.repeat(20)])), Array(1000).fill(ADD)],
    // undefined would take back the rule whose message it is
    ['sprintf', 'not for %[1]s', ['alice']],
  ];
  test.each(cases.map((one) => [one[0], one] as const))('%s', (name, [, ...values]) => {
    expect(() => run(name, ...values)).toThrow(BuiltinLimitError);
  });

  test('a pattern that makes others backtrack does not', () => {
    expect(run('regex.find_n', '(a|a)*$', `${'a'.repeat(20_000)}b`, 1)).toEqual(['']);
    expect(run('regex.template_match', '{(a+)+}x', `${'a'.repeat(20_000)}y`, '{', '}')).toBe(false);
  });

  test('a long list is split all the same', () => {
    expect(run('regex.split', ', *', Array(1000).fill('orders').join(', '))).toHaveLength(1000);
  });

  test('of a certificate with many names all are there', () => {
    const found = run('crypto.x509.parse_certificates', certificateOf(200));
    const first = isArray(found) ? found[0] : undefined;
    expect(isObject(first) && first.get('URIStrings')).toHaveLength(200);
  });

  test('aliases that grow make a document invalid', () => {
    const lines = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join()}]`),
    ];
    expect(run('yaml.is_valid', lines.join('\n'))).toBe(false);
  });
});

describe('time and chance', () => {
  test('are the same for the same decision, and others for another key', () => {
    expect(run('time.now_ns')).toBe(1_700_000_000_123_000_000n);
    const [one, again, other] = [run('uuid.rfc4122', 'a'), run('uuid.rfc4122', 'a'), run('uuid.rfc4122', 'b')];
    expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(again).toBe(one);
    expect(other).not.toBe(one);
    const drawn = Array.from({ length: 200 }, (_, key) => Number(run('rand.intn', `k${key}`, 5)));
    expect(new Set(drawn)).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(run('rand.intn', 'k7', 5)).toBe(drawn[7]);
  });

  test('are not there where the evaluation has neither a time nor an id', () => {
    const nothing = (): Moment => ({ nowNs: undefined, seed: undefined });
    expect(BUILTINS['time.now_ns']?.([], nothing)).toBeUndefined();
    expect(BUILTINS['uuid.rfc4122']?.(['a'], nothing)).toBeUndefined();
    expect(BUILTINS['rand.intn']?.(['a', 5], nothing)).toBeUndefined();
    expect(BUILTINS['io.jwt.decode_verify']?.(['e30.e30.', new Map([['secret', 'x']])], nothing)).toBeUndefined();
  });

  test('the process says nothing of itself', () => {
    expect(run('opa.runtime')).toEqual(new Map());
  });
});

test('what is not offered is named, with its reason where there is one', () => {
  expect(missingBuiltins(['time.now_ns', 'http.send', 'acme.own', 'toString'])).toEqual([
    'http.send: policies ask nobody; configure an attribute source and have the policy collect it (docs/sources.md)',
    'acme.own',
    'toString',
  ]);
});
