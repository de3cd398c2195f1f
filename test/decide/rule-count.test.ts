import { beforeAll, describe, expect, it } from 'vitest';
import { enrichmentOf, identityOf, requestOf } from '../../src/cases/signals.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/contract/json.ts';
import { type Bundle, readBundle } from '../../src/decide/bundle.ts';
import { checkBundle } from '../../src/decide/bundle-check.ts';
import { combine } from '../../src/decide/combine.ts';
import { compileInput } from '../../src/decide/input.ts';
import { withRuleCount } from '../../src/decide/rule-count.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { compileWasm, instantiateWasm, type WasmPolicy } from '../../src/decide/wasm-policy.ts';
import { loadCases } from '../cases/load.ts';
import { baseBundle, decideOptions, policyOptions } from './fixtures.ts';

/* The entry point takes a short way where every rule has a verdict; what it says must be what the long way says. */

let bundle: Bundle;
let counted: WasmPolicy;
let uncounted: WasmPolicy;
let inputs: readonly JsonObject[];

const loaded = async (data: JsonObject): Promise<WasmPolicy> => instantiateWasm(await compileWasm(bundle.wasm), data, policyOptions());

beforeAll(async () => {
  bundle = await readBundle(await baseBundle());
  uncounted = await loaded(bundle.data);
  counted = await loaded(withRuleCount(bundle.data, checkBundle(bundle, policyOptions()).length));
  const build = compileInput(decideOptions().input, null);
  inputs = loadCases().map((one) => {
    const request = requestOf(one);
    const identity = identityOf(one, request);
    return build({ request, identity, enrichment: enrichmentOf(one, request, identity), route: SMOKE_FACTS.route, lists: [] });
  });
});

/** The input with one of its signals, or of its other parts, taken away. */
function broken(input: JsonObject): JsonObject[] {
  const without = (object: JsonObject, name: string): JsonObject =>
    Object.fromEntries(Object.entries(object).filter(([key]): boolean => key !== name));
  const signals: JsonValue = input['signals'] ?? null;
  return [
    ...Object.keys(input).map((name) => without(input, name)),
    ...(isJsonObject(signals) ? Object.keys(signals).map((name) => ({ ...input, signals: without(signals, name) })) : []),
  ];
}

describe('the number of rules', () => {
  it('changes no verdict of any case', () => {
    expect(inputs.length).toBeGreaterThan(100);
    for (const input of inputs) expect(counted.evaluate(input)).toEqual(uncounted.evaluate(input));
  });

  it('hides no rule that has no verdict', () => {
    for (const input of inputs.slice(0, 20).flatMap(broken)) {
      const result = counted.evaluate(input);
      expect(result).toEqual(uncounted.evaluate(input));
      expect(combine(result, new Map()).effect).not.toBe('allow');
    }
  });

  it.each([0, 1, 55, 57, 1000])('where it is wrong (%i), changes nothing either', async (rules) => {
    const wrong = await loaded(withRuleCount(bundle.data, rules));
    for (const input of [{}, ...inputs.slice(0, 20)]) expect(wrong.evaluate(input)).toEqual(uncounted.evaluate(input));
  });

  it('is the service’s own, whatever the data of a bundle say', () => {
    expect(withRuleCount({ countersign: { rule_count: 3, limits: { a: 1 } }, tenants: {} }, 56)).toEqual({
      countersign: { rule_count: 56, limits: { a: 1 } },
      tenants: {},
    });
    expect(withRuleCount({}, 2)).toEqual({ countersign: { rule_count: 2 } });
  });
});
