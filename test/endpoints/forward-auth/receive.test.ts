import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DIALECTS, type Dialect, type Trust } from '../../../src/contract/pep.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { type Refused, receiveForwardAuth } from '../../../src/endpoints/forward-auth/receive.ts';
import { DIALECT_HEADERS } from '../../../src/endpoints/forward-auth/schema.ts';
import { createPepAuth, type PepOptions } from '../../../src/endpoints/pep-auth.ts';
import { pepOptions, sha256 } from '../fixtures.ts';

/** Gateways that take no header away by the answer, nor all spellings of one by themselves. */
const KEEPS: ReadonlySet<Dialect> = new Set(['traefik', 'apisix']);
const TRUSTS = ['client_address', 'client_certificate', 'fingerprint'] as const;

function read(
  lines: readonly string[],
  {
    dialect = 'nginx',
    trusts = TRUSTS,
    policyName = null,
    ...more
  }: Partial<PepOptions> & { dialect?: Dialect; policyName?: string | null } & {
    trusts?: readonly Trust[];
  } = {},
): DecisionRequest | Refused {
  const options = pepOptions('edge', trusts, { tokenSha256: sha256('t'), policies: ['default'], ...more });
  const pep = createPepAuth([options], ['default', 'other']).authenticate({ token: 't', certificate: null });
  if (pep === null) throw new Error('unknown');
  return receiveForwardAuth(lines, { id: 'id', pep, dialect, receivedAtMs: 5, deadlineAtMs: 155, policyName });
}
function question(...parameters: Parameters<typeof read>): DecisionRequest {
  const received = read(...parameters);
  if ('refused' in received) throw new Error(JSON.stringify(received));
  return received;
}

/** What a gateway of this kind says by itself. */
function said(dialect: Dialect, changes: Readonly<Record<string, string>> = {}): string[] {
  const names = DIALECT_HEADERS[dialect];
  const values: Record<string, string> = {
    [names.method]: 'GET',
    [names.target]: '/orders/42?x=1',
    [names.host]: 'API.example.com:443',
    [names.scheme]: 'https',
    [names.address]: '203.0.113.7',
    ...changes,
  };
  return ['host', 'localhost', ...Object.entries(values).flat()];
}

describe.each(DIALECTS)('the dialect %s', (dialect) => {
  const names = DIALECT_HEADERS[dialect];

  test('says what the client asked for', () => {
    const asked = question([...said(dialect), 'Authorization', 'Bearer a.b.c', 'User-Agent', 'x', 'X-Request-Id', 'r1'], { dialect });
    expect(asked.http).toMatchObject({
      method: 'GET',
      scheme: 'https',
      host: 'api.example.com',
      port: 443,
      path: '/orders/42',
      queryRaw: 'x=1',
    });
    expect(asked.source).toEqual({ ip: '203.0.113.7', port: null, forwardedFor: [] });
    expect(asked.credentials.authorization).toEqual(['Bearer a.b.c']);
    expect([asked.endpoint, asked.requestId]).toEqual(['forward_auth', 'r1']);
    expect(asked.flags).toEqual([]);
    const kept = [...(asked.http?.headers.keys() ?? [])].filter((name) => name !== 'x-forwarded-for');
    expect(kept).toEqual(['user-agent', 'x-request-id']);
  });

  test.each(['method', 'target', 'host', 'scheme', 'address'] as const)('needs the %s', (member) => {
    const name = names[member];
    expect(read(said(dialect, { [name]: '' }), { dialect })).toEqual({ refused: 'request_incomplete', field: name });
    const without = said(dialect).filter((_, index, all) => all[index - (index % 2)] !== name);
    expect(read(without, { dialect })).toEqual({ refused: 'request_incomplete', field: name });
    for (const spelt of [name.replaceAll('-', '_'), name.replaceAll('-', '.'), name.replace('-', '_')]) {
      expect(read([...without, spelt, 'GET'], { dialect })).toEqual({ refused: 'request_incomplete', field: name });
    }
  });

  test.each(['method', 'target', 'host', 'scheme'] as const)('has the %s once', (member) => {
    expect(read([...said(dialect), names[member].toUpperCase(), 'POST'], { dialect })).toEqual({
      refused: 'request_incomplete',
      field: names[member],
    });
  });

  test("ignores what looks like one of its headers, and the other dialects' ones", () => {
    const alike = Object.values(names).flatMap((name) => [name.replaceAll('-', '_'), 'forged', name.replaceAll('-', '.'), 'forged']);
    const asked = question([...said(dialect), ...alike], { dialect });
    expect(asked.http).toMatchObject({ method: 'GET', host: 'api.example.com', path: '/orders/42' });
    expect(asked.source.ip).toBe('203.0.113.7');
    expect(asked.flags).toEqual(['header_underscore']);
    const other = said(dialect === 'nginx' || dialect === 'haproxy' ? 'caddy' : 'nginx', {}).slice(2);
    expect(question([...said(dialect), ...other.map((text) => (text.startsWith('/') ? '/health' : text))], { dialect }).http?.path).toBe(
      '/orders/42',
    );
  });

  test("keeps the gateway's token and every header of ours from all that follows", () => {
    const own = ['X-Countersign-Pep-Token', 'secret-t', 'x-countersign-subject', 'secret-v'];
    const alike = KEEPS.has(dialect) ? [] : ['x_countersign_pep_token', 'secret-u', 'x.countersign-subject', 'secret-w'];
    const asked = question([...said(dialect), ...own, ...alike], { dialect });
    expect(JSON.stringify([asked, [...(asked.http?.headers ?? [])], asked.original?.()])).not.toContain('secret-');
    expect(asked.flags).toEqual(KEEPS.has(dialect) ? [] : ['header_underscore']);
  });

  test.each(['x-countersign_subject', 'X.Countersign.Subject', 'x_countersign_subject', 'x-countersign.client-id', 'x_countersign_new'])(
    'tells %s, or refuses it where the gateway would hand it on',
    (name) => {
      const received = read([...said(dialect), name, 'secret-t'], { dialect });
      if (KEEPS.has(dialect)) expect(received).toEqual({ refused: 'header_look_alike', field: 'x-countersign-*' });
      else expect(received).toMatchObject({ flags: ['header_underscore'] });
    },
  );

  test('is not believed about the address without the trust', () => {
    const asked = question(said(dialect), { dialect, trusts: [] });
    expect(asked.source).toEqual({ ip: null, port: null, forwardedFor: [] });
    expect(asked.flags).toEqual(['untrusted_client_address']);
    expect(asked.original?.().attributes).toEqual({ source: {} });
  });

  test('asks for the policies of its own only', () => {
    expect(read(said(dialect), { dialect, policyName: 'other' })).toEqual({ refused: 'policy_not_allowed' });
    expect(question(said(dialect), { dialect, policyName: 'default' }).policyName).toBe('default');
  });

  test('of any lines is a question or a refusal', () => {
    const name = fc.oneof(
      fc.constantFrom(...Object.values(names), 'authorization', 'x-countersign-pep-token', 'content-type'),
      fc.string(),
    );
    const lines = fc.array(fc.tuple(name, fc.string({ unit: 'binary' })), { maxLength: 12 }).map((pairs) => pairs.flat());
    fc.assert(
      fc.property(lines, fc.boolean(), (any, whole) => {
        const received = read(whole ? [...said(dialect), ...any] : any, { dialect });
        if ('refused' in received) expect(received.refused).toBe('request_incomplete');
        else if (whole) expect(received.http?.path).toBe('/orders/42');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the chain of addresses', () => {
  const chain = { 'x-forwarded-for': '198.51.100.1, 192.0.2.9, 203.0.113.7' };

  test('is that of the client before the peer, which X-Forwarded gateways append', () => {
    const asked = question(said('traefik', chain), { dialect: 'traefik' });
    expect(asked.source).toEqual({ ip: '203.0.113.7', port: null, forwardedFor: ['198.51.100.1', '192.0.2.9'] });
  });

  test('is left whole where the configuration says that the peer is in it', () => {
    const forwardedFor = { header: 'x-forwarded-for', appendsPeer: true, hops: null };
    const asked = question(said('caddy', chain), { dialect: 'caddy', forwardedFor });
    expect(asked.source).toEqual({ ip: '203.0.113.7', port: null, forwardedFor: ['198.51.100.1', '192.0.2.9', '203.0.113.7'] });
  });

  test('is whole beside the peer of nginx and HAProxy', () => {
    const asked = question([...said('nginx'), 'x-forwarded-for', '198.51.100.1', 'X-Forwarded-For', '192.0.2.9']);
    expect(asked.source).toEqual({ ip: '203.0.113.7', port: null, forwardedFor: ['198.51.100.1', '192.0.2.9'] });
  });
});

describe('the body of the client', () => {
  const body = (lines: readonly string[], dialect: Dialect = 'nginx') => {
    const { status, size } = question([...said(dialect), ...lines], { dialect }).http?.body ?? { status: null, size: null };
    return [status, size];
  };

  test('is known by its length, cut where that is not said, and never by the length of the question itself', () => {
    expect(body([])).toEqual(['absent', null]);
    expect(body(['x-original-content-length', '7'])).toEqual(['unparsed', 7]);
    expect(body(['x-original-transfer-encoding', 'chunked'])).toEqual(['truncated', null]);
    expect(body(['content-type', 'application/json'])).toEqual(['truncated', null]);
    expect(body(['content-length', '7', 'transfer-encoding', 'chunked'])).toEqual(['absent', null]);
    expect(body(['x-original-content-length', '0', 'content-type', 'a/b'])).toEqual(['absent', 0]);
  });

  test('may be there where X-Forwarded gateways cannot say, and a length by our names is not theirs', () => {
    expect(body([], 'caddy')).toEqual(['absent', null]);
    expect(body(['content-type', 'a/b', 'x-original-content-length', '0'], 'caddy')).toEqual(['truncated', null]);
    const post = question(said('traefik', { 'x-forwarded-method': 'POST' }), { dialect: 'traefik' });
    expect(post.http?.body.status).toBe('truncated');
  });
});

describe('the client certificate', () => {
  const certificateHeader = { name: 'x-client-cert', form: 'der_base64', chainName: null } as const;

  test('is that of the one header, and none where it is empty', () => {
    expect(question([...said('caddy'), 'X-Client-Cert', 'AAAA'], { dialect: 'caddy', certificateHeader }).credentials.certificates).toEqual(
      [{ form: 'der_base64', header: 'AAAA', chain: null }],
    );
    for (const lines of [
      ['X-Client-Cert', ''],
      ['x_client_cert', 'AAAA'],
      ['x-ssl-client-cert', 'AAAA'],
    ]) {
      expect(question([...said('caddy'), ...lines], { dialect: 'caddy', certificateHeader }).credentials.certificates).toEqual([]);
    }
  });
});

test('header bytes are read as UTF-8, and flagged where they are not', () => {
  const latin = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  const good = question([...said('nginx'), 'x-name', latin('Zoë')]);
  expect([good.http?.headers.get('x-name'), good.flags]).toEqual([['Zoë'], []]);
  const bad = question([...said('nginx'), 'x-name', 'Zo\xeb']);
  expect([bad.http?.headers.get('x-name'), bad.flags]).toEqual([['Zo\xeb'], ['header_not_utf8']]);
});
