import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { enrichmentOf, identityOf, requestOf } from '../../src/cases/signals.ts';
import type { InputFacts } from '../../src/decide/input.ts';
import { compileInput, parseInputPaths } from '../../src/decide/input.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { loadCases } from '../cases/load.ts';
import { decideOptions } from './fixtures.ts';

const options = decideOptions().input;
const FACTS: readonly InputFacts[] = loadCases().map((one) => {
  const request = requestOf(one);
  const identity = identityOf(one, request);
  return { request, identity, enrichment: enrichmentOf(one, request, identity), route: SMOKE_FACTS.route, lists: [] };
});
const rich = FACTS.find(({ identity }) => identity.signals.token.status === 'present') ?? SMOKE_FACTS;
const build = (...paths: string[][]) => compileInput(options, paths)(rich);

describe('a projection', () => {
  it('builds what is named and nothing else', () => {
    expect(build(['route', 'tier'], ['signals', 'token', 'status'])).toEqual({
      route: { tier: 'critical' },
      signals: { token: { status: 'present' } },
    });
  });

  it('builds all below a name', () => {
    expect(Object.keys(Object(build(['route'])['route']))).toEqual(['status', 'id', 'tier', 'scopes', 'public', 'parameters', 'mcp']);
    expect(Object.keys(Object(Object(build(['signals', 'token'])['signals'])['token']))).toEqual(['status', 'value']);
  });

  it('a name below a field wants the field', () => {
    expect(build(['signals', 'token', 'value', 'claims', 'sub'])).toMatchObject({
      signals: { token: { value: { claims: { sub: 'agent-a' } } } },
    });
    expect(build(['request', 'headers', 'user-agent'])).toEqual({ request: { headers: {} } });
  });

  it('the longer and the shorter of two names, in either order, want the shorter', () => {
    const both = build(['route', 'tier'], ['route']);
    expect(both).toEqual(build(['route']));
    expect(build(['route'], ['route', 'tier'])).toEqual(both);
  });

  it('input itself wants everything', () => {
    expect(build([])).toEqual(compileInput(options, null)(rich));
  });

  it('names that the input does not have want nothing', () => {
    expect(build(['rout'], ['route', 'teir'])).toEqual({ route: {} });
  });

  it('whatever is named, it is a part of the whole that has every named field', () => {
    const whole = compileInput(options, null);
    const paths = (value: unknown): string[][] =>
      typeof value !== 'object' || value === null || Array.isArray(value)
        ? []
        : Object.entries(value).flatMap(([name, one]) => [[name], ...paths(one).map((path) => [name, ...path])]);
    fc.assert(
      fc.property(fc.constantFrom(...FACTS), fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 8 }), (facts, picks, count) => {
        const all = paths(whole(facts));
        const chosen = [...picks.take(count)].map((pick) => all[pick % all.length] ?? []);
        const part = compileInput(options, chosen)(facts);
        expect(whole(facts)).toMatchObject(part);
        const at = (path: readonly string[], root: unknown): unknown => path.reduce<unknown>((value, name) => Object(value)[name], root);
        for (const path of chosen) expect(at(path, part)).toEqual(at(path, whole(facts)));
      }),
    );
  });
});

describe('the options', () => {
  it('claims that are not named stay out', () => {
    const claims = (wanted: 'all' | string[]) =>
      Object(Object(Object(compileInput({ headers: [], claims: wanted }, null)(rich)['signals'])['token'])['value'])['claims'];
    expect(claims(['sub', 'toString'])).toEqual({ sub: 'agent-a' });
    expect(claims([])).toEqual({});
    expect(Object.keys(claims('all'))).toContain('client_id');
  });
});

describe('paths of a manifest', () => {
  it('are below input, or are not known', () => {
    expect(parseInputPaths([['input', 'route'], ['input']])).toEqual([['route'], []]);
    expect(parseInputPaths([['data', 'x']])).toBeNull();
    expect(parseInputPaths([['input', 1]])).toBeNull();
    expect(parseInputPaths('input')).toBeNull();
    expect(parseInputPaths(undefined)).toBeNull();
  });
});
