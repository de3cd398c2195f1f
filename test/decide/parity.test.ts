import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enrichmentOf, identityOf, requestOf } from '../../src/cases/signals.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { type Bundle, readBundle } from '../../src/decide/bundle.ts';
import { compileInput, type InputFacts, parseInputPaths } from '../../src/decide/input.ts';
import type { ListHit } from '../../src/decide/lists.ts';
import { readMessage } from '../../src/decide/mcp/read-message.ts';
import { compileWasm, instantiateWasm, type WasmPolicy } from '../../src/decide/wasm-policy.ts';
import { loadCases } from '../cases/load.ts';
import { baseBundle, createTestPolicies, decideOptions, opa, POLICIES, policyOptions } from './fixtures.ts';

/* [asks 51] Wasm and OPA's own evaluator say the same; and the projected input gives the same as the whole one. */

let bundle: Bundle;
let wasm: WasmPolicy;
let facts: readonly { readonly name: string; readonly facts: InputFacts }[];
let whole: (facts: InputFacts) => JsonObject;
let projected: (facts: InputFacts) => JsonObject;
const scratch = mkdtempSync(join(tmpdir(), 'countersign-parity-'));
afterAll(() => rmSync(scratch, { recursive: true }));

beforeAll(async () => {
  const packed = await baseBundle();
  bundle = await readBundle(packed);
  wasm = await instantiateWasm(await compileWasm(bundle.wasm), bundle.data, policyOptions());
  const policy = await createTestPolicies().activate('default', packed);
  const lists: readonly ListHit[] = [{ name: 'addresses_blocked', tags: [], age_seconds: null, stale: false }];
  facts = loadCases().map((one, index) => {
    const request = requestOf(one);
    const identity = identityOf(one, request);
    const enrichment = enrichmentOf(one, request, identity);
    const route = policy.routeOf(request);
    return {
      name: one.name,
      facts: { request, identity, enrichment, route, lists: index % 5 === 0 ? lists : [], mcp: readMessage(request, route) },
    };
  });
  const options = decideOptions().input;
  whole = compileInput(options, null);
  projected = compileInput(options, parseInputPaths(bundle.manifest.metadata.countersign?.input));
});

/** Verdicts of OPA's evaluator for every input, in one run. */
function evaluateByOpa(inputs: readonly unknown[]): unknown[] {
  const file = join(scratch, 'inputs.json');
  writeFileSync(file, JSON.stringify({ inputs }));
  const query = '[r | some one in input.inputs; r := data.countersign.decision.result with input as one]';
  const parsed: unknown = JSON.parse(opa(['eval', '-f', 'json', '-b', POLICIES, '-i', file, query]));
  const value = Object(parsed).result?.[0]?.expressions?.[0]?.value;
  if (!Array.isArray(value)) throw new Error('opa eval gave no list');
  return value;
}

describe('[asks 51] Wasm says what OPA says', () => {
  it('on the input of every case, whole and projected', () => {
    const inputs = facts.flatMap((one) => [whole(one.facts), projected(one.facts)]);
    expect(inputs.map((input) => wasm.evaluate(input))).toEqual(evaluateByOpa(inputs));
  });

  it('on inputs that are broken: each with one part of it taken away or made text', () => {
    const good = facts[6];
    if (good === undefined) throw new Error('no case');
    const inputs = broken(projected(good.facts));
    expect(inputs.length).toBeGreaterThan(60);
    expect(inputs.map((input) => wasm.evaluate(input))).toEqual(evaluateByOpa(inputs));
  });
});

describe('the projection', () => {
  it('changes no verdict', () => {
    for (const one of facts) expect(wasm.evaluate(projected(one.facts)), one.name).toEqual(wasm.evaluate(whole(one.facts)));
  });

  it('is a part of the whole input', () => {
    for (const one of facts) expect(whole(one.facts), one.name).toMatchObject(projected(one.facts));
  });

  it('is small: the base pack reads little more than half of an input', () => {
    const sizes = facts.map((one) => [JSON.stringify(projected(one.facts)).length, JSON.stringify(whole(one.facts)).length] as const);
    for (const [part, all] of sizes) expect(part).toBeLessThan(all * 0.55);
    expect(Math.max(...sizes.map(([part]) => part))).toBeLessThan(1750);
  });

  it('a part that is not there or of another type never lets anybody in', async () => {
    const good = facts[6];
    if (good === undefined) throw new Error('no case');
    const { combine } = await import('../../src/decide/combine.ts');
    expect(combine(wasm.evaluate(projected(good.facts)), new Map()).effect).toBe('allow');
    const allowed = broken(projected(good.facts)).filter((input) => combine(wasm.evaluate(input), new Map()).effect === 'allow');
    const changed = new Set(allowed.map((input) => differenceOf(projected(good.facts), input)));
    expect([...changed].filter((path) => !HARMLESS.includes(path))).toEqual([]);
  });
});

/** Parts whose absence or change leaves this allow as it is: no rule decides by them here. */
const HARMLESS = [
  // certificate and transaction token are absent: only of an invalid one does a rule read the code
  'signals.certificate.code',
  'signals.api_key.code',
  // nobody is a right value too, and of a client without a record nothing else is read
  'subject.client',
  'subject.client.status',
  'subject.client.scopes',
  'subject.client.issuer',
  'subject.client.network',
  'subject.client.country',
  'signals.txn_token.code',
  // the certificate and the signature are absent: only of an invalid one does a rule read the code
  'signals.certificate.code',
  'signals.signature.code',
  // null in the place of null
  '',
  // another country, or none, is a right value too
  'signals.network.value.country',
  'time',
  'time.unix_seconds',
  'signals.rate.value.history_lost',
  'signals.rate.value.pep',
  'signals.rate.value.client',
  'signals.rate.value.address',
  'signals.rate.value.token',
  'signals.rate.value.route',
  // no limit has a name here, so nothing is compared with a counter, and nobody is asked whom a limit would have held
  'signals.rate.value.counters',
  'signals.rate.value.failed',
  'signals.rate.value.flags',
  'route.id',
  // the route is not one of an MCP server: nobody looks at a message
  'mcp',
  // the network is of no kind, and no place or device is remembered: of an absent signal no code is read
  'subject.client.type',
];

/** Each copy lacks one part, or has text or null in its place. */
function broken(input: JsonObject): JsonObject[] {
  return pathsOf(input).flatMap((path) => [without(input, path), replaced(input, path, 'text'), replaced(input, path, null)]);
}

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, one]) => [[name], ...pathsOf(one).map((path) => [name, ...path])]);
}

function without(input: JsonObject, path: readonly string[]): JsonObject {
  return change(input, path, (parent, name) => Reflect.deleteProperty(parent, name));
}

function replaced(input: JsonObject, path: readonly string[], value: string | null): JsonObject {
  return change(input, path, (parent, name) => Reflect.set(parent, name, value));
}

function change(input: JsonObject, path: readonly string[], edit: (parent: object, name: string) => unknown): JsonObject {
  const copy: JsonObject = structuredClone(input);
  let parent: unknown = copy;
  for (const name of path.slice(0, -1)) parent = Object(parent)[name];
  edit(Object(parent), path.at(-1) ?? '');
  return copy;
}

/** The first path at which two documents differ. */
function differenceOf(a: JsonObject, b: JsonObject): string {
  const at = (root: JsonObject, path: readonly string[]): unknown => path.reduce<unknown>((value, name) => Object(value)[name], root);
  const path = pathsOf(a).find((one) => {
    const left = at(a, one);
    const right = at(b, one);
    return typeof right !== 'object' || right === null || Array.isArray(right) ? JSON.stringify(left) !== JSON.stringify(right) : false;
  });
  return path?.join('.') ?? '';
}
