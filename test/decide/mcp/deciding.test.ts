import { beforeAll, describe, expect, it } from 'vitest';
import { enrichmentOf, identityOf, requestOf } from '../../../src/cases/signals.ts';
import type { JsonObject } from '../../../src/contract/json.ts';
import type { ActivePolicy } from '../../../src/contract/stages.ts';
import { readBundle } from '../../../src/decide/bundle.ts';
import { combine } from '../../../src/decide/combine.ts';
import { compileInput, parseInputPaths } from '../../../src/decide/input.ts';
import { readMessage } from '../../../src/decide/mcp/read-message.ts';
import type { PolicySet } from '../../../src/decide/policies.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { compileWasm, instantiateWasm } from '../../../src/decide/wasm-policy.ts';
import { loadCases } from '../../cases/load.ts';
import { baseBundle, createTestPolicies, decideOptions, policyOptions } from '../fixtures.ts';

let set: PolicySet;
let policy: ActivePolicy;
beforeAll(async () => {
  set = createTestPolicies();
  policy = await set.activate('default', await baseBundle());
});

const call = loadCases().find(({ name }) => name === 'mcp: a tool is granted with its scope');
if (call === undefined) throw new Error('no such case');
const request = requestOf(call);

describe('no decision on a call of a tool', () => {
  it('is a JSON-RPC error too', () => {
    expect(set.failed(request, 'deadline_exceeded', policy)).toMatchObject({
      effect: 'deny',
      error: { code: 'deadline_exceeded' },
      response: { status: 503, headers: { 'retry-after': '1' }, body: { jsonrpc: '2.0', id: 1, error: { code: -32603 } } },
    });
  });

  it('is a problem where no policy says that it is one', () => {
    expect(set.failed(request, 'policy_not_loaded', null).response?.body).toMatchObject({ status: 503, title: expect.any(String) });
  });
});

it('what no rule looks at is not in the input: arguments stay out of the base pack', () => {
  const decide = (asked: typeof request) => policy.decide(asked, identityOf(call, asked), SMOKE_FACTS.enrichment, policy.routeOf(asked));
  const { input } = decide(request);
  expect(Object(input('referenced')).mcp).toMatchObject({ method: 'tools/call', target: 'search' });
  expect(Object(input('referenced')).mcp).not.toHaveProperty('arguments');
  expect(Object(input('full')).mcp.arguments).toEqual({ query: 'a' });
});

describe('a part of the message that is not there, or of another type', () => {
  it('lets nobody in', async () => {
    const bundle = await readBundle(await baseBundle());
    const wasm = await instantiateWasm(await compileWasm(bundle.wasm), bundle.data, policyOptions());
    const route = policy.routeOf(request);
    const identity = identityOf(call, request);
    const facts = {
      request,
      identity,
      enrichment: enrichmentOf(call, request, identity),
      route,
      lists: [],
      mcp: readMessage(request, route),
    };
    const build = compileInput(decideOptions().input, parseInputPaths(bundle.manifest.metadata.countersign?.input));
    const input = build(facts);
    const effectOfInput = (changed: JsonObject) => combine(wasm.evaluate(changed), new Map()).effect;
    expect(effectOfInput(input)).toBe('allow');

    const allowed: string[] = [];
    for (const part of ['route', 'mcp']) {
      const group: Record<string, JsonObject[string]> = { ...Object(input[part]) };
      for (const name of Object.keys(group)) {
        const { [name]: _gone, ...without } = group;
        for (const [how, changed] of [
          ['gone', without],
          ['text', { ...group, [name]: 'text' }],
          ['null', { ...group, [name]: null }],
        ] as const) {
          if (effectOfInput({ ...input, [part]: changed }) === 'allow') allowed.push(`${part}.${name} ${how}`);
        }
      }
    }
    // this tool is for every client, a message that was read has no code, and of the server's name it counts only that there is one
    expect([...new Set(allowed.map((one) => one.split(' ')[0]))]).toEqual([
      'route.id',
      'route.mcp',
      'mcp.code',
      'mcp.version',
      'mcp.client',
    ]);
    expect(allowed).not.toContain('route.mcp null');
  });
});
