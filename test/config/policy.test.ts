import { describe, expect, it } from 'vitest';
import { pathText } from '../../src/config/config-error.ts';
import { entrypointOf } from '../../src/config/policy.ts';
import { configSchema } from '../../src/config/schema.ts';

/** The paths of the problems; empty where the configuration is good. */
function judged(config: object): string[] {
  const parsed = configSchema.safeParse(config);
  return parsed.success ? [] : parsed.error.issues.map((issue) => pathText(issue.path));
}

const two = { policies: { a: { bundle: '/a' } } };

describe('what is accepted', () => {
  it.each<[string, object]>([
    ['policies by host', { ...two, policyByHost: { 'a.example': 'a', '192.0.2.1': 'default', '[2001:db8::1]': 'a' } }],
    ['a policy of opa-envoy-plugin', { policy: { contract: 'envoy', input: { credentials: true } } }],
    ['a policy that decides itself', { policy: { contract: 'decision', entrypoint: 'acme/authz/decision' } }],
  ])('%s', (_what, config) => {
    expect(judged(config)).toEqual([]);
  });
});

const NO_HOSTS = ['A.example', 'a.example:443', 'a.example.', '*.example', '[::0]', '::1', ''];

describe('what is refused', () => {
  it.each<[string, object, string[]]>([
    ['a decision without its entry point', { policy: { contract: 'decision' } }, ['policy.entrypoint']],
    ['credentials for rules', { policies: { a: { bundle: '/a', input: { credentials: true } } } }, ['policies.a.input.credentials']],
    [
      'required rules where there are none',
      { policy: { contract: 'envoy', requiredRules: ['signals.required'] } },
      ['policy.requiredRules'],
    ],
    ['a host of no policy', { policyByHost: { 'a.example': 'a' } }, [pathText(['policyByHost', 'a.example'])]],
    [
      'hosts that no request has',
      { policyByHost: Object.fromEntries(NO_HOSTS.map((host) => [host, 'default'])) },
      NO_HOSTS.map((host) => pathText(['policyByHost', host])),
    ],
  ])('%s', (_what, config, paths) => {
    expect(judged(config)).toEqual(paths);
  });
});

it.each([
  ['rules', null, 'countersign/decision/result'],
  ['envoy', null, 'envoy/authz/allow'],
  ['envoy', 'istio/authz/allow', 'istio/authz/allow'],
  ['decision', 'a/b', 'a/b'],
] as const)('the entry point of %s, named %s, is %s', (contract, entrypoint, found) => {
  expect(entrypointOf({ contract, entrypoint })).toBe(found);
});
