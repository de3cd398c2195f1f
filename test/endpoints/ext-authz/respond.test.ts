import { describe, expect, test } from 'vitest';
import { CODES, type ErrorCode } from '../../../src/contract/codes.ts';
import { createCheckResponder } from '../../../src/endpoints/ext-authz/respond.ts';
import { decodeCheck, headerOf } from '../../support/ext-authz-wire.ts';
import { decision, denial } from '../../support/grpc-fixture.ts';

const responder = createCheckResponder({ errorResponse: false });
const switched = createCheckResponder({ errorResponse: true });
const read = (bytes: Uint8Array) => decodeCheck(Buffer.from(bytes));
const codes = Object.keys(CODES).filter((code): code is ErrorCode => Object.hasOwn(CODES, code));

describe('allow', () => {
  test('[asks 11] every header overwrites, and none that is set is removed', () => {
    const upstream = {
      headersToSet: { 'x-user-id': 'a', 'x-b': 'b' },
      headersToRemove: ['x-user-id', 'x_user_id', 'host', ':path', 'X-Bad'],
    };
    const check = read(responder.decided(decision({ upstream })));
    expect(check.ok?.headers).toEqual([
      { key: 'x-user-id', value: 'a', appendAction: 2 },
      { key: 'x-b', value: 'b', appendAction: 2 },
    ]);
    expect(check.ok?.remove).toEqual(['x_user_id']);
  });

  test('[asks 4] headers for the client are response headers', () => {
    const upstream = { headersToSet: {}, headersToRemove: [], responseHeadersToSet: { 'x-risk': '3' } };
    const check = read(responder.decided(decision({ upstream })));
    expect(check.ok).toEqual({ headers: [], remove: [], responseHeaders: [{ key: 'x-risk', value: '3', appendAction: 2 }] });
  });

  test('a value that no header can carry is encoded, each in its own way', () => {
    const values = {
      'x-a': 'Zoë',
      'x-b': 'a\r\nx-admin: true',
      'x-c': ' padded',
      'x-d': '=?base64?Wm/Dqw==?=',
      'x-e': 'a\u0000',
      'x-f': '日本',
    };
    const check = read(responder.decided(decision({ upstream: { headersToSet: values, headersToRemove: [] } })));
    const sent = check.ok?.headers.map(({ value }) => value) ?? [];
    expect(sent).toHaveLength(6);
    expect(new Set(sent).size).toBe(6);
    expect(sent.map((value) => Buffer.from(/^=\?base64\?(.+)\?=$/.exec(value)?.[1] ?? '', 'base64').toString())).toEqual(
      Object.values(values),
    );
  });

  test('an empty value removes the copy of the client', () => {
    const check = read(responder.decided(decision({ upstream: { headersToSet: { 'x-countersign-actor': '' }, headersToRemove: [] } })));
    expect(check.ok).toMatchObject({ headers: [], remove: ['x-countersign-actor'] });
  });

  test('an allow with an error is none', () => {
    const check = read(responder.decided(decision({ error: { code: 'internal_error' } })));
    expect([check.code, check.ok, check.denied?.status]).toEqual([13, null, 503]);
  });
});

describe('refusals', () => {
  test.each([
    [400, 3],
    [401, 16],
    [403, 7],
    [404, 7],
    [413, 8],
    [429, 8],
    [500, 13],
    [503, 13],
    [302, 7],
  ])('status %i is code %i', (status, code) => {
    const check = read(responder.decided(denial(status)));
    expect([check.code, check.denied?.status, check.ok]).toEqual([code, status, null]);
  });

  test('[asks 2, 6] status, headers and body go through; the id is in header and metadata', () => {
    const response = {
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="countersign"', 'content-type': 'application/problem+json' },
      body: { type: 'about:blank', title: 'No', status: 401 },
    };
    const check = read(responder.decided(denial(401, { effect: 'step_up', response })));
    expect(check.denied?.headers).toEqual([
      { key: 'www-authenticate', value: 'Bearer realm="countersign"', appendAction: 2 },
      { key: 'content-type', value: 'application/problem+json', appendAction: 2 },
      { key: 'x-countersign-decision-id', value: '01900000-0000-7000-8000-000000000001', appendAction: 2 },
    ]);
    expect(JSON.parse(check.denied?.body ?? '')).toEqual(response.body);
    expect(check.metadata).toEqual({
      decision: 'step_up',
      decision_id: '01900000-0000-7000-8000-000000000001',
      reasons: ['access.scope_missing'],
      risk: 20,
    });
  });

  test('exceptions that were used are told in the metadata, on an allow and on a denial', () => {
    const exceptions = [{ id: 'inc-7', owner: 'ann', reason: 'outage', endsAt: 1, rules: ['a.b'] }];
    for (const decision of [denial(403, { exceptions }), { ...denial(403, { exceptions }), effect: 'allow' as const }]) {
      expect(read(responder.decided(decision)).metadata).toMatchObject({ exceptions: ['inc-7'] });
    }
  });

  test('a decision without an answer, and one with an answer that is none, are denied all the same', () => {
    expect(read(responder.decided(denial(403, { response: null }))).denied?.status).toBe(503);
    for (const status of [0, 200, 204, -1, 99_999, 403.5, Number.NaN])
      expect(read(responder.decided(denial(status))).denied?.status).toBe(403);
  });

  test('[asks 5] a header that would make Envoy answer 500 is cleaned or left out', () => {
    const headers = { 'x-a': 'a\r\nb', 'bad name': 'x', ':status': '200', 'content-length': '5', 'x-b': 'Ünicode' };
    const check = read(responder.decided(denial(403, { response: { status: 403, headers, body: {} } })));
    expect(check.denied?.headers.slice(0, 2)).toEqual([
      { key: 'x-a', value: 'a??b', appendAction: 2 },
      { key: 'x-b', value: '?nicode', appendAction: 2 },
    ]);
    expect(check.denied?.headers.map(({ key }) => key)).toEqual(['x-a', 'x-b', 'content-type', 'x-countersign-decision-id']);
  });

  test('[asks 8] a failure to decide and a denial are told apart', () => {
    const failure = read(responder.decided(denial(503, { error: { code: 'policy_evaluation_failed' } })));
    expect([failure.code, failure.denied?.status, headerOf(failure.denied?.headers, 'x-countersign-error')]).toEqual([
      13,
      503,
      'policy_evaluation_failed',
    ]);
    expect(headerOf(read(responder.decided(denial(403))).denied?.headers, 'x-countersign-error')).toBeNull();
  });

  test('error_response only by switch and only without a decision', () => {
    const failure = denial(503, { error: { code: 'policy_evaluation_failed' } });
    expect(read(switched.decided(failure))).toMatchObject({ code: 13, denied: null, error: { status: 503 } });
    expect(read(switched.decided(denial(503)))).toMatchObject({ code: 13, denied: { status: 503 }, error: null });
    expect(read(switched.undecided('deadline_exceeded', 'id'))).toMatchObject({ code: 13, denied: null, error: { status: 503 } });
  });

  test.each(codes)('no code of ours is an allow or a 401: %s', (code) => {
    for (const bytes of [responder.refused(code, 'id'), switched.refused(code, 'id')]) {
      const check = read(bytes);
      expect(check.code).not.toBe(0);
      expect([check.ok, check.error]).toEqual([null, null]);
      expect(check.denied?.status).not.toBe(401);
      expect(headerOf(check.denied?.headers, 'x-countersign-error')).toBe(code);
      expect(JSON.parse(check.denied?.body ?? '')).toEqual({
        type: 'about:blank',
        title: CODES[code].text,
        status: check.denied?.status,
        decision_id: 'id',
      });
    }
    expect(read(responder.undecided(code, 'id')).ok).toBeNull();
  });
});
