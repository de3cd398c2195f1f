import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogRules } from '../../src/contract/decision-log.ts';
import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import { bundleOf, unpack } from '../../src/decide/bundle.ts';
import { buildBundle } from '../../src/decide/bundle-build.ts';
import { logEntrypoints, logRulesIn } from '../../src/decide/log-rules.ts';
import { compileWasm, instantiateWasm } from '../../src/decide/wasm-policy.ts';
import { maskEvent, parseMaskRules } from '../../src/record/mask-event.ts';
import { type Child, startChild, waitUntil } from '../support/child.ts';
import { startCollector } from '../support/log-collector.ts';
import { freePorts } from '../support/ports.ts';
import { bundleWith, editBundle } from './bundles.ts';
import { baseBundle, OPA_BIN, policyOptions } from './fixtures.ts';
import { refused } from './refused.ts';

const RULES = `package system.log

mask contains "/input/secret"

mask contains "/input/list/1" if input.input.shorten

mask contains "/input/none/there"

mask contains {"op": "upsert", "path": "/input/person/name", "value": "someone"} if input.input.person

mask contains {"op": "upsert", "path": "/input/added/here", "value": {"by": "mask"}} if input.input.add

mask contains {"op": "remove", "path": "/result/address"} if input.result.address

mask contains "/input" if input.input.all

mask contains "/input/when" if time.parse_rfc3339_ns(input.input.when) > 0

mask contains "/labels/id" if input.input.wrong

drop if input.input.drop
`;
const ANSWER = 'package app\n\nanswer := input.answer\n';

const INPUTS: readonly JsonObject[] = [
  { secret: 's', open: 1, answer: { effect: 'allow' } },
  { list: [1, 2, 3], shorten: true, answer: { effect: 'deny', address: '203.0.113.7' } },
  { person: { name: 'Ada', age: 36 }, answer: { effect: 'deny', address: null } },
  { person: true, add: true, answer: {} },
  { add: true, added: [1], answer: [] },
  { all: true, secret: 's', answer: { address: 'x' } },
  { answer: true },
];

const folder = mkdtempSync(join(tmpdir(), 'countersign-logs-rules-'));
let rules: LogRules;

beforeAll(async () => {
  writeFileSync(join(folder, 'log.rego'), RULES);
  writeFileSync(join(folder, 'app.rego'), ANSWER);
  const packed = await buildBundle({ opaBin: OPA_BIN, directory: folder, entrypoint: 'app/answer', foreign: true });
  const bundle = bundleOf(await unpack(packed));
  const wasm = await instantiateWasm(await compileWasm(bundle.wasm), bundle.data, policyOptions({ entrypoint: 'app/answer' }));
  const made = logRulesIn(wasm);
  if (made === null) throw new Error('no rules');
  rules = made;
});
afterAll(() => rmSync(folder, { recursive: true }));

const eventOf = (input: JsonObject): JsonObject => ({
  decision_id: 'd',
  timestamp: '2026-01-01T00:00:00Z',
  input,
  result: input['answer'] ?? null,
});

/** What collectors get of an event: by the names that OPA has. */
function masked(input: JsonObject): JsonObject {
  const read = parseMaskRules(rules.mask(eventOf(input)));
  if (read === null) throw new Error('not read');
  const { event, erased, masked: replaced } = maskEvent(eventOf(input), read);
  return shown({ ...event, erased, masked: replaced });
}

function shown({ input = null, result = null, erased = [], masked: replaced = [] }: JsonObject): JsonObject {
  return { input, result, erased: sorted(erased), masked: sorted(replaced) };
}

const sorted = (list: JsonValue): JsonValue => (Array.isArray(list) ? list.map(String).toSorted() : []);

describe('the rules of a bundle about its own records', () => {
  it('mask as OPA’s own decision log does', async () => {
    const collector = await startCollector();
    const [port = 0] = await freePorts(1);
    const plugin = { service: 'logs', reporting: { min_delay_seconds: 1, max_delay_seconds: 1 } };
    const config = { services: { logs: { url: collector.url.replace('/logs', '') } }, decision_logs: plugin };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const opa: Child = startChild(OPA_BIN, [
      ...['run', '--server', '--addr', `127.0.0.1:${port}`, '--skip-version-check', '--config-file', join(folder, 'config.json')],
      ...['--log-level', 'error', join(folder, 'log.rego'), join(folder, 'app.rego')],
    ]);
    try {
      await waitUntil('opa', opa, async () => (await fetch(`http://127.0.0.1:${port}/health`)).status === 200);
      for (const input of [...INPUTS, { drop: true, answer: 1 }]) {
        const body = JSON.stringify({ input });
        await fetch(`http://127.0.0.1:${port}/v1/data/app/answer`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
      }
      await expect.poll(() => collector.taken.length, { timeout: 20_000 }).toBe(INPUTS.length);
    } finally {
      await opa.stop('SIGTERM', 2000);
    }
    expect(INPUTS.map(masked)).toEqual(collector.taken.map(shown));
  });

  it('drop what they say', () => {
    expect(INPUTS.map((input) => rules.drop(eventOf(input)))).toEqual(INPUTS.map(() => false));
    expect(rules.drop(eventOf({ drop: true }))).toBe(true);
  });

  it('fail where a builtin does, and say nothing of what they might have masked', () => {
    expect(() => rules.mask(eventOf({ when: 'no time' }))).toThrow(/time\.parse_rfc3339_ns failed/);
    expect(rules.mask(eventOf({ when: '2026-01-01T00:00:00Z' }))).toContain('/input/when');
    expect(rules.mask(eventOf({ when: '1960-01-01T00:00:00Z' }))).not.toContain('/input/when');
    expect(rules.mask(eventOf({}))).not.toContain('/input/when');
  });

  it('that cannot be read are no rules', () => {
    expect(parseMaskRules(rules.mask(eventOf({ wrong: true })))).toBeNull();
  });
});

describe('a bundle', () => {
  it('without such rules has no entry point for them', async () => {
    const bundle = bundleOf(await unpack(await baseBundle()));
    const wasm = await instantiateWasm(await compileWasm(bundle.wasm), {}, policyOptions());
    expect(logRulesIn(wasm)).toBeNull();
  });

  it('whose Rego says what is to be masked, and whose module cannot, is refused', async () => {
    const bundle = await editBundle(await baseBundle(), (files) =>
      files.set('system/log/mask.rego', 'package system.log\n\nmask contains "/input"\n'),
    );
    await refused(bundle, 'bundle_entrypoint_missing', /system\/log\/mask/);
  });

  it('of the base pack may have them', async () => {
    const manifest = JSON.stringify({ roots: ['countersign', 'system/log'], rego_version: 1 });
    const packed = await bundleWith({ 'log/mask.rego': 'package system.log\n\nmask contains "/input"\n', '.manifest': manifest });
    expect(logEntrypoints(bundleOf(await unpack(packed)).rego)).toEqual(['system/log/mask']);
  });

  it.each<[string, string, string[]]>([
    ['both', 'package system.log\nmask contains "/input"\ndefault drop := false\n', ['system/log/drop', 'system/log/mask']],
    ['an older form', 'package system.log\nmask["/input"] { true }\n', ['system/log/mask']],
    ['another package', 'package system.logs\nmask contains "/input"\n', []],
    ['a comment', 'package system.log\n# mask\nother := 1\n', []],
  ])('has the entry points of %s', (_what, source, expected) => {
    expect(logEntrypoints(new Map([['a.rego', source]]))).toEqual(expected);
  });
});
