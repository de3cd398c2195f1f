import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/contract/request.ts';
import type { IdentitySignals } from '../../src/contract/signals.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { headerSafe } from '../../src/decide/upstream.ts';
import { answer, OPTIONS } from './answer.ts';

describe('[asks 11] upstream', () => {
  const allow: [string, unknown][] = [['b.granted', 'allow']];

  it('sets what is known, removes what is not, and every other spelling', () => {
    const { upstream } = answer(allow, { subject: 'agent-a' });
    expect(upstream.headersToSet).toEqual({
      'x-countersign-decision-id': SMOKE_FACTS.request.id,
      'x-countersign-subject': 'agent-a',
      'x-countersign-assurance': '0',
      'x-countersign-risk': '0',
    });
    expect(upstream.headersToRemove).toEqual([
      'x-countersign-client-id',
      'x-countersign-actor',
      'x-countersign-degraded',
      'x-countersign-would',
      'x-countersign-assertion',
      'x_countersign_decision_id',
      'x_countersign_subject',
      'x_countersign_client_id',
      'x_countersign_assurance',
      'x_countersign_risk',
      'x_countersign_actor',
      'x_countersign_degraded',
      'x_countersign_would',
      'x_countersign_assertion',
    ]);
  });

  it('never removes a name that it sets', () => {
    const { upstream } = answer(allow, {
      subject: 'a',
      flags: ['header_underscore'],
      options: { ...OPTIONS, upstream: { headers: true, removeAuthorization: true } },
    });
    for (const name of Object.keys(upstream.headersToSet)) expect(upstream.headersToRemove).not.toContain(name);
    expect(upstream.headersToRemove).toContain('authorization');
    expect(upstream.headersToRemove).toContain('x-countersign_client.id');
  });

  it('[asks 10] takes the credential away on an allow where the switch says so', () => {
    const options = { ...OPTIONS, upstream: { headers: true, removeAuthorization: true } };
    expect(answer(allow, { subject: 'a', options }).upstream.headersToRemove).toContain('authorization');
    expect(answer(allow, { subject: 'a' }).upstream.headersToRemove).not.toContain('authorization');
    expect(answer([['a.shown', 'deny']], { subject: 'a', options }).upstream.headersToRemove).toEqual([]);
  });

  describe('[asks 10] an API key', () => {
    const options = { ...OPTIONS, upstream: { headers: true, removeAuthorization: false, removeApiKey: true } };
    const present = { status: 'present', value: { id: 'k', clientId: 'a', scopes: [], expiresAt: null } } as const;
    const removed = (apiKey: IdentitySignals['apiKey'], credentials: Partial<Credentials>, more: Parameters<typeof answer>[1] = {}) =>
      answer(allow, { subject: 'a', options, apiKey, credentials, ...more }).upstream.headersToRemove.filter(
        (name) => !name.includes('countersign'),
      );

    it('is taken away by the header that it came in, where the switch says so, and on an allow only', () => {
      expect(removed(present, { apiKeys: ['csk_x'] })).toEqual(['x-api-key']);
      expect(removed(present, { authorization: ['ApiKey csk_x'] })).toEqual(['authorization']);
      expect(removed(present, { apiKeys: ['csk_x'], authorization: ['Bearer y'] })).toEqual(['x-api-key']);
      expect(removed(present, { apiKeys: ['csk_x'] }, { options: OPTIONS })).toEqual([]);
      const denied = answer([['a.shown', 'deny']], { options, apiKey: present, credentials: { apiKeys: ['csk_x'] } });
      expect(denied.upstream.headersToRemove).toEqual([]);
    });

    it('is taken away where a public route does not mind that it is bad, and not where it is none of ours', () => {
      expect(removed({ status: 'invalid', code: 'api_key_expired' }, { apiKeys: ['csk_x'] })).toEqual(['x-api-key']);
      expect(removed({ status: 'unavailable', code: 'registry_unavailable' }, { apiKeys: ['csk_x'] })).toEqual(['x-api-key']);
      expect(removed({ status: 'invalid', code: 'api_key_malformed' }, { apiKeys: ['theirs'] })).toEqual([]);
      expect(removed({ status: 'absent', code: 'api_key_missing' }, {})).toEqual([]);
    });

    it('goes with its look-alikes', () => {
      const names = removed(present, { apiKeys: ['csk_x'] }, { flags: ['header_underscore'] });
      expect(names).toEqual(expect.arrayContaining(['x-api-key', 'x_api_key', 'x.api.key', 'x_api-key']));
    });
  });

  it('the switch takes the headers away, not the protection', () => {
    const { upstream } = answer(allow, { subject: 'a', options: { ...OPTIONS, upstream: { headers: false, removeAuthorization: false } } });
    expect(upstream.headersToSet).toEqual({});
    expect(upstream.headersToRemove).toContain('x-countersign-subject');
  });

  it('[asks 9] names what is degraded', () => {
    const { upstream } = answer(allow, { rate: { status: 'unavailable', code: 'store_unavailable' } });
    expect(upstream.headersToSet['x-countersign-degraded']).toBe('rate');
  });

  it('[asks 4] [asks 5] headers of a policy', () => {
    const { upstream, response } = answer([
      [
        'b.granted',
        { effect: 'allow', upstream_headers: { 'x-n': 7, 'x-countersign-subject': 'forged' }, response_headers: { 'x-risk': 3 } },
      ],
    ]);
    expect(upstream.headersToSet).toMatchObject({ 'x-n': '7' });
    expect(upstream.headersToSet['x-countersign-subject']).toBeUndefined();
    expect(upstream.responseHeadersToSet).toEqual({ 'x-risk': '3' });
    expect(response).toBeNull();
  });

  it.each([
    ['agent-a', 'agent-a'],
    ['jörg', 'j%C3%B6rg'],
    ['a\r\nx-admin: 1', 'a%0D%0Ax-admin: 1'],
    ['100%', '100%25'],
    [' a ', '%20a%20'],
    ['😀', '%F0%9F%98%80'],
    ['\u0000', '%00'],
  ])('%j goes as %j', (subject, value) => {
    expect(answer(allow, { subject }).upstream.headersToSet['x-countersign-subject']).toBe(value);
  });

  it('a value that is too long is not cut, but left out and removed', () => {
    const { upstream } = answer(allow, { subject: 'x'.repeat(3000) });
    expect(upstream.headersToSet['x-countersign-subject']).toBeUndefined();
    expect(upstream.headersToRemove).toContain('x-countersign-subject');
  });

  it('two values never become one, and each comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const safe = headerSafe(value);
        expect(safe).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeURIComponent(safe)).toBe(value);
      }),
    );
  });

  it('a deny changes nothing upstream', () => {
    expect(answer([['a.shown', 'deny']]).upstream).toEqual({ headersToSet: {}, headersToRemove: [] });
  });
});
