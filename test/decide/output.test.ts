import { describe, expect, it } from 'vitest';
import { failedDecision } from '../../src/decide/output.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { answer, type Given, POLICY } from './answer.ts';

const challenge = (verdicts: readonly [string, unknown][], given?: Given) => answer(verdicts, given).response?.headers['www-authenticate'];
const METADATA = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource"';

describe('[asks 3] 401 and 403', () => {
  it('no credential: 401 with a challenge that says no error (RFC 6750 3.1)', () => {
    expect(answer([['a.unauthenticated', 'deny']]).response?.status).toBe(401);
    expect(challenge([['a.unauthenticated', 'deny']])).toBe(`Bearer realm="api", ${METADATA}`);
  });

  it('a refused one: 401 invalid_token', () => {
    const token = { status: 'invalid', code: 'token_expired' } as const;
    expect(challenge([['a.unauthenticated', 'deny']], { token })).toBe(
      `Bearer realm="api", error="invalid_token", error_description="Shown", ${METADATA}`,
    );
  });

  it('a rule that is not public is not described', () => {
    const token = { status: 'invalid', code: 'token_expired' } as const;
    expect(challenge([['b.hidden', { effect: 'deny', status: 401 }]], { token })).toBe(
      `Bearer realm="api", error="invalid_token", ${METADATA}`,
    );
  });

  it('a 401 for something else than the token does not send the client for a new one', () => {
    const token = { status: 'unavailable', code: 'keys_unavailable' } as const;
    expect(challenge([['a.unauthenticated', 'deny']], { token })).toBe(`Bearer realm="api", ${METADATA}`);
  });

  it('another scheme is no credential', () => {
    const token = { status: 'invalid', code: 'scheme_unsupported' } as const;
    expect(challenge([['a.unauthenticated', 'deny']], { token })).toBe(`Bearer realm="api", ${METADATA}`);
  });

  it('a good one that is not permitted: 403 without a challenge', () => {
    const decision = answer([['a.shown', 'deny']]);
    expect(decision.response?.status).toBe(403);
    expect(decision.response?.headers['www-authenticate']).toBeUndefined();
  });
});

describe('step_up', () => {
  const granted: [string, unknown] = ['b.granted', 'allow'];
  const step = (verdict: object): [string, unknown][] => [granted, ['a.shown', { effect: 'step_up', ...verdict }]];

  it('RFC 9470', () => {
    const verdicts = step({ kind: 'authentication', acr_values: ['urn:gold', 'urn:silver'], max_age_seconds: 300 });
    expect(answer(verdicts).response?.status).toBe(401);
    expect(challenge(verdicts)).toBe(
      'Bearer realm="api", error="insufficient_user_authentication", error_description="A stronger or more recent authentication is required", ' +
        `acr_values="urn:gold urn:silver", max_age="300", ${METADATA}`,
    );
  });

  it('RFC 6750 insufficient_scope', () => {
    const verdicts = step({ kind: 'scope', scopes: ['a', 'b'] });
    expect(answer(verdicts).response?.status).toBe(403);
    expect(challenge(verdicts)).toBe(`Bearer realm="api", error="insufficient_scope", scope="a b", ${METADATA}`);
  });

  it('has no list of scopes where none can be named: an empty one is no scope (RFC 6749 section 3.3)', () => {
    const scopes = ['a b', '"'];
    expect(challenge(step({ kind: 'scope', scopes }))).toBe(`Bearer realm="api", error="insufficient_scope", ${METADATA}`);
    expect(challenge(step({ kind: 'authentication', max_age_seconds: 60, scopes }))).not.toContain('scope=');
  });

  it('RFC 9449', () => {
    const verdicts = step({ kind: 'binding', methods: ['mtls', 'dpop'] });
    expect(answer(verdicts).response?.status).toBe(401);
    expect(challenge(verdicts)).toMatch(/^DPoP realm="api", algs="ES256 /);
  });

  it('mTLS has no challenge; the body says what would do', () => {
    const { response } = answer(step({ kind: 'binding', methods: ['mtls'] }));
    expect(response).toMatchObject({ status: 403, body: { type: 'urn:countersign:problem:step-up:binding', methods: ['mtls'] } });
    expect(response?.headers['www-authenticate']).toBeUndefined();
  });

  it('approval', () => {
    expect(answer(step({ kind: 'approval', methods: ['owner'] })).response).toMatchObject({ status: 403, body: { methods: ['owner'] } });
  });

  it('lets no value out of its quotes', () => {
    const verdicts = step({ kind: 'scope', scopes: ['a", realm="x', 'good', 'b\\', 'ü', 'a b'] });
    expect(challenge(verdicts)).toBe(`Bearer realm="api", error="insufficient_scope", scope="good", ${METADATA}`);
  });
});

describe('[asks 72] 429 and 503', () => {
  const limits = [
    { name: 'client-10s', limit: 100, window_seconds: 10, remaining: 0, reset_seconds: 3 },
    { name: 'client-1m', limit: 300, window_seconds: 60, remaining: 0, reset_seconds: 20 },
  ];

  it('the three fields agree', () => {
    expect(answer([['a.limited', { effect: 'deny', limits }]]).response?.headers).toMatchObject({
      'retry-after': '20',
      ratelimit: '"client-10s";r=0;t=3, "client-1m";r=0;t=20',
      'ratelimit-policy': '"client-10s";q=100;w=10, "client-1m";q=300;w=60',
    });
  });

  it('Retry-After is never earlier than t, and there is always one', () => {
    expect(answer([['a.limited', { effect: 'deny', limits, retry_after_seconds: 1 }]]).response?.headers['retry-after']).toBe('20');
    expect(answer([['a.limited', { effect: 'deny', limits, retry_after_seconds: 60 }]]).response?.headers['retry-after']).toBe('60');
    expect(answer([['a.limited', 'deny']]).response?.headers['retry-after']).toBe('1');
  });

  it('[asks 69] remaining is never negative nor above the limit', () => {
    const odd = [{ name: 'x', limit: 5, window_seconds: 10, remaining: 9, reset_seconds: 1 }];
    expect(answer([['a.limited', { effect: 'deny', limits: odd }]]).response?.headers['ratelimit']).toBe('"x";r=5;t=1');
  });

  it('numbers stay integers of a structured field, however large a policy has them', () => {
    const odd = [{ name: 'x', limit: 1e21, window_seconds: 1e18, remaining: 1e20, reset_seconds: 1e21 }];
    const most = '999999999999999';
    expect(answer([['a.limited', { effect: 'deny', limits: odd, retry_after_seconds: 1e22 }]]).response?.headers).toMatchObject({
      'retry-after': most,
      ratelimit: `"x";r=${most};t=${most}`,
      'ratelimit-policy': `"x";q=${most};w=${most}`,
    });
  });

  it('a name cannot leave its quotes', () => {
    const odd = [{ name: 'a";r=9\n', limit: 5, window_seconds: 10, remaining: 0, reset_seconds: 1 }];
    expect(answer([['a.limited', { effect: 'deny', limits: odd }]]).response?.headers['ratelimit']).toBe('"a\\";r=9";r=0;t=1');
  });

  it('[asks 8] a failure of ours is 503 with a time', () => {
    const { response } = answer([['a.broken', null]]);
    expect(response).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(response?.body['reasons']).toBeUndefined();
  });
});

describe('the body', () => {
  it('has only reasons that are public, and no detail', () => {
    const { response } = answer([
      ['a.shown', { effect: 'deny', secret: 'x' }],
      ['b.hidden', { effect: 'deny', secret: 'y' }],
    ]);
    expect(response?.body).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      decision_id: SMOKE_FACTS.request.id,
      reasons: [{ code: 'a.shown', title: 'Shown' }],
    });
    expect(response?.headers).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-countersign-decision-id': SMOKE_FACTS.request.id,
    });
  });

  it('policy headers go along, and never replace ours or those that frame the message', () => {
    const headers = {
      'x-own': 'a',
      'Content-Length': '0',
      'x-countersign-decision-id': 'forged',
      x_countersign_subject: 'forged',
      'cache-control': 'public',
    };
    const { response } = answer([['a.shown', { effect: 'deny', response_headers: headers }]]);
    expect(response?.headers).toEqual({
      'x-own': 'a',
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-countersign-decision-id': SMOKE_FACTS.request.id,
    });
  });
});

describe('a decision that no policy made', () => {
  it.each([
    ['policy_not_loaded', 503],
    ['deadline_exceeded', 503],
    ['internal_error', 503],
    ['policy_not_allowed', 403],
  ] as const)('%s', (code, status) => {
    const decision = failedDecision(SMOKE_FACTS.request, code, POLICY, null);
    expect(decision).toMatchObject({ effect: 'deny', error: { code }, reasons: [{ code, effect: 'undecided' }], response: { status } });
    expect(decision.response?.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
  });
});

describe('Accept-Signature', () => {
  const given = { accept: 'partner=("@method");created' };
  const accepted = (code: string, verdict: unknown) => answer([[code, verdict]], given).response?.headers['accept-signature'];

  it('is said where a signature is missing or was refused', () => {
    expect(accepted('identity.signature_required', { effect: 'deny', status: 403 })).toBe(given.accept);
    expect(accepted('identity.signature_invalid', 'deny')).toBe(given.accept);
  });

  it('is not said for other reasons, nor where it is ours to mend', () => {
    expect(accepted('a.shown', 'deny')).toBeUndefined();
    expect(accepted('identity.signature_required', { effect: 'deny', status: 503 })).toBeUndefined();
  });
});
