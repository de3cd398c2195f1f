import { beforeAll, describe, it } from 'vitest';
import { editBundle, editData } from './bundles.ts';
import { baseBundle, createTestPolicies, policyOptions } from './fixtures.ts';
import { refused } from './refused.ts';

let base: Uint8Array;
beforeAll(async () => {
  base = await baseBundle();
});

describe('data', () => {
  const put = (countersign: Record<string, unknown>) =>
    editData(base, (data) => ({ ...data, countersign: { ...Object(data['countersign']), ...countersign } }));

  it.each([
    ['at a rule', { rules: { access: { scope_granted: { verdict: 'allow' } } } }],
    ['beside a rule', { rules: { access: { extra: { verdict: 'allow' } } } }],
    ['above the rules', { rules: true }],
    ['at the decision', { decision: { result: { verdicts: [] } } }],
    ['below the words', { lib: { is: { above: true } } }],
  ])('%s', async (_name, countersign) => {
    await refused(await put(countersign), 'bundle_data_shadows_rules');
  });

  it('above every package', async () => {
    await refused(await editData(base, () => ({ countersign: 'x' })), 'bundle_data_shadows_rules', /countersign/);
  });

  it('at a package of the deployment itself', async () => {
    const shadowing = await editBundle(base, (files) => {
      files.set('own.rego', 'package acme.partners\n\nknown if input.id\n');
      files.set('acme/partners/data.json', '{"known": true}');
    });
    await refused(shadowing, 'bundle_data_shadows_rules', /acme\.partners/);
  });

  it.each([
    ['a misspelt name', (limits: Record<string, unknown>) => ({ ...limits, ratte: {} }), /ratte/],
    [
      'a limit that is text',
      (limits: Record<string, unknown>) => ({ ...limits, rate: { client: { '10s': '100' }, address: {}, token: {}, route: {} } }),
      /rate\.client\.10s/,
    ],
    [
      'a window that does not exist',
      (limits: Record<string, unknown>) => ({ ...limits, rate: { client: { '5m': 1 }, address: {}, token: {}, route: {} } }),
      /5m/,
    ],
    ['a tier that is missing', (limits: Record<string, unknown>) => ({ ...limits, tiers: {} }), /tiers\.low/],
    [
      'an address that is none',
      (limits: Record<string, unknown>) => ({
        ...limits,
        network: { countries_blocked: [], addresses_blocked: ['10.0.0.0/33'], list_tags: {} },
      }),
      /addresses_blocked\.0/,
    ],
  ])('limits with %s', async (_name, edit, text) => {
    const bundle = await editData(base, (data) => {
      const ours = Object(data['countersign']);
      return { ...data, countersign: { ...ours, limits: edit(ours.limits) } };
    });
    await refused(bundle, 'bundle_data_invalid', text);
  });

  it.each([
    ['a misspelt name', { a: { methods: ['GET'], path: '/a', tier: 'low', pubic: true } }, 'bundle_data_invalid', /pubic/],
    ['an unknown tier', { a: { methods: ['GET'], path: '/a', tier: 'hgh' } }, 'bundle_data_invalid', /tier/],
    [
      'two routes that are the same',
      { a: { methods: ['GET'], path: '/a/{x}', tier: 'low' }, b: { methods: ['GET'], path: '/a/{y}', tier: 'low' } },
      'bundle_routes_invalid',
      /b/,
    ],
    ['a rest that is not at the end', { a: { methods: ['GET'], path: '/a/{x*}/b', tier: 'low' } }, 'bundle_routes_invalid', /end/],
    ['a parameter with a prefix', { a: { methods: ['GET'], path: '/a/v{x}', tier: 'low' } }, 'bundle_routes_invalid', /segment 2/],
    ['a parameter twice', { a: { methods: ['GET'], path: '/{x}/{x}', tier: 'low' } }, 'bundle_routes_invalid', /twice/],
    ['the reserved id', { unknown: { methods: ['GET'], path: '/a', tier: 'low' } }, 'bundle_routes_invalid', /reserved/],
    ['a method that is none', { a: { methods: ['GE T'], path: '/a', tier: 'low' } }, 'bundle_routes_invalid', /methods/],
  ] as const)('routes with %s', async (_name, routes, code, text) => {
    await refused(await put({ routes }), code, text);
  });

  it('data said twice', async () => {
    const twice = await editBundle(base, (files) => files.set('countersign/limits/data.json', '{"signals": {"retry_after_seconds": 9}}'));
    await refused(twice, 'bundle_data_invalid', /said twice/);
  });

  it('data that is no object', async () => {
    await refused(await editBundle(base, (files) => files.set('x/data.json', '[]')), 'bundle_data_invalid', /x\/data\.json/);
  });

  it('data that does not fit into the memory', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ memoryPagesMax: 16 }) } });
    const big = await editData(base, (data) => ({
      ...data,
      tenants: { default: Array.from({ length: 100_000 }, (_, index) => `entry-${index}`) },
    }));
    await refused(big, 'bundle_data_invalid', /does not fit/, set);
  });
});
