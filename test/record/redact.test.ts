import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import { inputSchemaText } from '../../src/decide/input-schema-json.ts';
import { isSecretName, redactInput, redactPath } from '../../src/record/redact.ts';

describe('the names of secrets', () => {
  it.each([
    'authorization',
    'Proxy-Authorization',
    'cookie',
    'set-cookie',
    'password',
    'passwd',
    'client_secret',
    'clientSecret',
    'access_token',
    'accessToken',
    'refresh-token',
    'id_token',
    'token',
    'x-custom-token',
    'apikey',
    'api_key',
    'x-api-key',
    'apiKey',
    'client_assertion',
    'sig',
    'X-Amz-Signature',
    'dpop',
  ])('%s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    'path',
    'token_type',
    'tokens_used',
    'author',
    'authorization_details',
    'design',
    'code',
    'issuer',
    'monkey',
    'status',
    'keys',
    'amount',
    'pinned',
    '',
  ])('and not %s', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('a path for the log', () => {
  it.each([
    ['/orders/42', '/orders/42'],
    ['/a;jsessionid=1/b;x=2;y', '/a;***/b;***'],
    ['/a%3bjsessionid=1/b%3Bx=2', '/a%3b***/b%3B***'],
    ['/a?token=1/b', '/a?***'],
    ['/a%3Ftoken=1/b', '/a%3F***'],
    ['/a;/b', '/a;***/b'],
    ['', ''],
  ])('%s', (path, shown) => {
    expect(redactPath(path)).toBe(shown);
  });
});

describe('an input for the log', () => {
  it('loses the texts of the query and of the body, and keeps names, numbers and structure', () => {
    const input: JsonObject = {
      request: {
        method: 'POST',
        query: { q: ['secret', 'secret'], page: ['7'] },
        body: {
          status: 'parsed',
          reason: null,
          content_type: 'application/json',
          size: 31,
          json: { amount: 100, dry_run: false, note: 'secret', pin: 1234, lines: [{ sku: 'secret', count: 2 }], status: 'secret' },
        },
        headers: { 'user-agent': 'curl/8', 'x-custom-token': 'secret' },
      },
    };
    expect(redactInput(input)).toEqual({
      request: {
        method: 'POST',
        query: { q: ['***', '***'], page: ['***'] },
        body: {
          status: 'parsed',
          reason: null,
          content_type: 'application/json',
          size: 31,
          json: { amount: 100, dry_run: false, note: '***', pin: '***', lines: [{ sku: '***', count: 2 }], status: '***' },
        },
        headers: { 'user-agent': 'curl/8', 'x-custom-token': '***' },
      },
    });
  });

  it('keeps the signal that is called token, and hides secrets below it', () => {
    const input = {
      signals: {
        token: { status: 'present', value: { subject: 'a', claims: { refresh_token: 'secret', nested: [{ password: ['secret'] }] } } },
      },
    };
    expect(redactInput(input)).toEqual({
      signals: { token: { status: 'present', value: { subject: 'a', claims: { refresh_token: '***', nested: [{ password: '***' }] } } } },
    });
  });

  it.each<JsonValue>([null, 'text', 7, [], [1, { a: 'b' }], { request: null }, { request: 'x' }, { request: [] }])(
    'is left as it is without a request: %j',
    (input) => {
      expect(redactInput(input)).toEqual(input);
    },
  );

  it('loses the texts of a tool’s arguments, and keeps what was called', () => {
    const mcp = { method: 'tools/call', name: 'search', target: 'search', arguments: { query: 'mine', limit: 3, password: 'x' } };
    expect(redactInput({ mcp })).toEqual({ mcp: { ...mcp, arguments: { query: '***', limit: 3, password: '***' } } });
    expect(redactInput({ mcp: { name: 'https://a.example/b?token=x', target: 'file:///a' } })).toEqual({
      mcp: { name: 'https://a.example/b?***', target: 'file:///a' },
    });
  });

  it('property: no text of a query or a body survives, and nothing elsewhere changes', () => {
    const canary = 'canary-5f1d';
    const json = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constant(canary),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    const elsewhere = fc.dictionary(
      // by chance it is `f_otp`
      fc.stringMatching(/^f_[a-z]{1,5}$/).filter((name) => !isSecretName(name)),
      fc.oneof(fc.string(), fc.integer()),
    );
    fc.assert(
      fc.property(json, json, elsewhere, (query, body, other) => {
        const shown = redactInput({ request: { query, body: { status: 'parsed', json: body }, method: 'GET' }, other });
        expect(JSON.stringify(shown)).not.toContain(canary);
        expect(shown).toMatchObject({ request: { method: 'GET', body: { status: 'parsed' } }, other });
      }),
    );
  });
});

/** Places of members with a fixed name that looks like that of a secret and that hold no object. */
function ownNames(schema: unknown, above: readonly string[] = []): string[][] {
  if (typeof schema !== 'object' || schema === null) return [];
  const members = 'properties' in schema && typeof schema.properties === 'object' ? Object.entries(schema.properties ?? {}) : [];
  return members.flatMap(([name, below]: [string, object]) => {
    const here = [...above, name];
    const leaf = !('properties' in below) && isSecretName(name);
    return [...(leaf ? [here] : []), ...ownNames(below, here)];
  });
}

describe('names of ours', () => {
  const places = ownNames(JSON.parse(inputSchemaText()));

  it('some of them look like those of secrets', () => {
    expect(places.map((names) => names.join('.'))).toContain('evidence.agreement.pairs.token_api_key');
  });

  it.each(places.map((names) => [names.join('.'), names]))('%s is not hidden, since no client can put anything there', (_name, names) => {
    for (const value of [7, 'agreed']) {
      const input = names.reduceRight<JsonValue>((below, name) => ({ [name]: below }), value);
      expect(redactInput(input)).toEqual(input);
    }
  });

  it('nor are those of limits and counters, which the policy chooses', () => {
    const input = { signals: { rate: { status: 'present', value: { resets: { per_token: 7 }, counters: { failed_credentials: null } } } } };
    expect(redactInput(input)).toEqual(input);
  });

  it('claims are those of a client', () => {
    const input = { signals: { token: { status: 'present', value: { claims: { api_key: 'k', pin: 1234 } } } } };
    expect(redactInput(input)).toEqual({ signals: { token: { status: 'present', value: { claims: { api_key: '***', pin: '***' } } } } });
  });
});
