import { describe, expect, test } from 'vitest';
import type { FingerprintHeaders, Pep, Trust } from '../../src/contract/pep.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import { receiveDecide } from '../../src/endpoints/decide/receive.ts';
import { receiveCheck } from '../../src/endpoints/ext-authz/receive.ts';
import { createPepAuth } from '../../src/endpoints/pep-auth.ts';
import { encodeCheck } from '../support/ext-authz-wire.ts';
import { pepOptions, sha256 } from './fixtures.ts';

const JA4 = 't13d1516h2_8daaf6152771_b186095e22b6';
const JA3 = 'e7d705a3286e19ea42f587b344ee6865';
const HEADERS: FingerprintHeaders = { ja3: 'x-tls-ja3', ja4: 'x-tls-ja4' };

function pepOf(trusts: readonly Trust[], fingerprintHeaders?: FingerprintHeaders): Pep {
  const more = { tokenSha256: sha256('edge'), ...(fingerprintHeaders === undefined ? {} : { fingerprintHeaders }) };
  const pep = createPepAuth([pepOptions('edge', trusts, more)], ['default']).authenticate({ token: 'edge', certificate: null });
  if (pep === null) throw new Error('no gateway');
  return pep;
}

const CALL = { id: 'id-1', receivedAtMs: 0, deadlineAtMs: 100 };

function throughEnvoy(headers: readonly (readonly [string, string])[], pep: Pep): DecisionRequest {
  const bytes = encodeCheck({ http: { method: 'GET', path: '/', host: 'api.example', scheme: 'https', headers } });
  const received = receiveCheck(bytes, { ...CALL, pep }, { namespace: 'envoy.filters.http.jwt_authn', key: null });
  if (!received.ok) throw new Error(received.code);
  return received.request;
}

function throughDecide(headers: Record<string, string | string[]>, pep: Pep, tls?: object): DecisionRequest {
  const body = { request: { method: 'GET', path: '/', headers }, ...(tls === undefined ? {} : { tls }) };
  const received = receiveDecide(Buffer.from(JSON.stringify(body)), { ...CALL, pep, explain: false });
  if ('refused' in received) throw new Error(received.refused);
  return received;
}

const told = ({ tls, flags, http }: DecisionRequest) => ({ ja3: tls.ja3, ja4: tls.ja4, flags, headers: [...(http?.headers.keys() ?? [])] });

describe('[asks 20] over ext_authz, by the headers that the gateway is configured to set', () => {
  const both = [
    ['x-tls-ja3', JA3.toUpperCase()],
    ['X-TLS-JA4', JA4],
    ['accept', '*/*'],
  ] as const;

  test('from a gateway that is trusted for them; they are no headers of the client', () => {
    expect(told(throughEnvoy(both, pepOf(['fingerprint'], HEADERS)))).toEqual({ ja3: JA3, ja4: JA4, flags: [], headers: ['accept'] });
  });

  test('from one that is not', () => {
    expect(told(throughEnvoy(both, pepOf([], HEADERS)))).toEqual({
      ja3: null,
      ja4: null,
      flags: ['untrusted_fingerprint'],
      headers: ['accept'],
    });
  });

  test('without a configured header they are headers like any other', () => {
    const { ja3, ja4, flags } = told(throughEnvoy(both, pepOf(['fingerprint'])));
    expect([ja3, ja4, flags]).toEqual([null, null, []]);
  });

  test.each([
    ['a wrong shape', [['x-tls-ja4', 'abc']]],
    ['10 kB', [['x-tls-ja4', JA4.repeat(300)]]],
    [
      "two lines: one of them is the client's",
      [
        ['x-tls-ja4', JA4],
        ['x-tls-ja4', JA4],
      ],
    ],
    ['empty', [['x-tls-ja4', '']]],
  ] as const)('%s is no fingerprint, and flagged', (_what, headers) => {
    expect(told(throughEnvoy(headers, pepOf(['fingerprint'], HEADERS)))).toEqual({
      ja3: null,
      ja4: null,
      flags: ['fingerprint_invalid'],
      headers: [],
    });
  });

  test('a look-alike is dropped and never counts', () => {
    const { ja4, headers } = told(throughEnvoy([['x_tls_ja4', JA4]], pepOf(['fingerprint'], HEADERS)));
    expect([ja4, headers]).toEqual([null, []]);
  });
});

describe('over POST /decide', () => {
  test("a header is the client's own word, unless the gateway stands behind proxies that set it", () => {
    const headers = { 'x-tls-ja4': JA4 };
    expect(told(throughDecide(headers, pepOf(['fingerprint'], HEADERS)))).toMatchObject({ ja4: null, flags: ['untrusted_fingerprint'] });
    expect(told(throughDecide(headers, pepOf(['fingerprint', 'forwarded'], HEADERS)))).toMatchObject({ ja4: JA4, flags: [] });
    expect(told(throughDecide(headers, pepOf(['forwarded'], HEADERS)))).toMatchObject({ ja4: null, flags: ['untrusted_fingerprint'] });
  });

  test('what the body says goes before it, and needs no header', () => {
    const pep = pepOf(['fingerprint', 'forwarded'], HEADERS);
    const other = JA4.replace('t13', 'q13');
    expect(told(throughDecide({ 'x-tls-ja4': JA4, 'x-tls-ja3': JA3 }, pep, { ja4: other }))).toMatchObject({ ja4: other, ja3: JA3 });
    expect(told(throughDecide({}, pepOf(['fingerprint']), { ja4: JA4 }))).toMatchObject({ ja4: JA4, flags: [] });
  });
});
