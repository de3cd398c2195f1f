import { describe, expect, it } from 'vitest';
import { createRatePlans, parseSource } from '../../src/decide/rate-plan.ts';

const NO_RATES = { client: {}, address: {}, token: {}, route: {} };
const plans = (limits: Parameters<typeof createRatePlans>[0]) => createRatePlans(limits, new Set(['login', 'orders']), 'payments');

describe('what a policy has counted', () => {
  it('is nothing where its limits name nothing', () => {
    expect(plans({ rate: NO_RATES }).of('login')).toBeUndefined();
    expect(plans(undefined).of('login')).toBeUndefined();
  });

  it('has the limits of entities and the counters of the route, amounts in thousandths, one plan a route', () => {
    const made = plans({
      rate: { ...NO_RATES, client: { '10s': 5 } },
      rate_limits: {
        logins: { of: 'logins_by_user', window: '1m', limit: 3 },
        spent: { of: 'spend', window: '1d', limit: 99.5, shadow: true },
        client_day: { of: 'client', window: '1h', limit: 7 },
      },
      counters: {
        logins_by_user: { key: ['json:/user'], routes: ['login'] },
        spend: { key: ['client', 'header:X-Tenant'], amount: { from: 'json:/amount', default: 0.25 } },
      },
    });
    const spend = {
      name: 'spend',
      pool: 'payments/spend',
      key: [{ from: 'client' }, { from: 'header', name: 'x-tenant' }],
      amount: { from: { from: 'json', path: ['amount'] }, otherwise: 250, reported: null },
      thresholds: [{ name: 'spent', window: 4, limit: 99_500 }],
    };
    const thresholds = {
      client: [
        { name: 'client-10s', window: 0, limit: 5 },
        { name: 'client_day', window: 3, limit: 7 },
      ],
    };
    expect(made.of('orders')).toEqual({ thresholds, counters: [spend] });
    expect(made.of('orders')).toBe(made.of('orders'));
    expect(made.of('login')?.counters.map(({ name }) => name)).toEqual(['logins_by_user', 'spend']);
    expect(made.limits.map(({ name }) => name)).toEqual(['client-10s', 'logins', 'spent', 'client_day']);
  });

  it.each([
    ['a limit of what nobody counts', { rate_limits: { a: { of: 'nobody', window: '1m', limit: 1 } } }, 'rate_limits.a.of'],
    ['a day of an entity', { rate_limits: { a: { of: 'client', window: '1d', limit: 1 } } }, 'rate_limits.a.window'],
    ['a limit of nothing', { rate_limits: { a: { of: 'client', window: '1m', limit: 0 } } }, 'rate_limits.a.limit'],
    [
      'a name with a dash, as those of entities have',
      { rate_limits: { 'client-10s': { of: 'client', window: '10s', limit: 1 } } },
      'rate_limits',
    ],
    ['a counter with the name of an entity', { counters: { client: { key: ['client'] } } }, 'counters.client'],
    ['a source that does not exist', { counters: { a: { key: ['cookie:x'] } } }, 'counters.a.key.0'],
    ['a pointer that is none', { counters: { a: { key: ['client', 'json:user'] } } }, 'counters.a.key.1'],
    [
      'a source of amounts that does not exist',
      { counters: { a: { key: ['client'], amount: { from: 'body' } } } },
      'counters.a.amount.from',
    ],
    ['a route that does not exist', { counters: { a: { key: ['client'], routes: ['logn'] } } }, 'counters.a.routes'],
    ['a negative default', { counters: { a: { key: ['client'], amount: { default: -1 } } } }, 'counters.a.amount.default'],
    ['no key', { counters: { a: { key: [] } } }, 'counters.a.key'],
    ['a window that does not exist', { rate: { ...NO_RATES, client: { '5m': 1 } } }, 'rate.client.5m'],
  ])('refuses %s', (_name, limits, field) => {
    expect(() => plans(limits)).toThrow(expect.objectContaining({ code: 'bundle_data_invalid', field: expect.stringContaining(field) }));
  });

  it('is bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`c${index}`, { key: ['client'] }]));
    expect(() => plans({ counters: many })).toThrow(/counters/);
  });
});

describe('sources', () => {
  it.each([
    ['claim:sub', { from: 'claim', name: 'sub' }],
    ['header:X-Tenant', { from: 'header', name: 'x-tenant' }],
    ['query:a:b', { from: 'query', name: 'a:b' }],
    ['json:/a~1b/~0/0', { from: 'json', path: ['a/b', '~', '0'] }],
    ['address', { from: 'address' }],
    ['header:', null],
    ['json:', null],
    ['json:/~2', null],
    ['Address', null],
    ['', null],
  ])('%s', (text, source) => expect(parseSource(text)).toEqual(source));
});
