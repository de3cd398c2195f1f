import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeHeaderValue } from '../../src/decide/mcp/header-value.ts';
import { call, list, META, read, type Sent } from '../decide/mcp/message.ts';

/* Whoever routes by the headers and whoever reads the body see the same message, or it is refused. */

const name = fc.oneof(
  fc.constantFrom(
    'search',
    'purge',
    'Search',
    ' search',
    'searc\u0068',
    'se\u0061rch',
    'ｓearch',
    'search\u0000',
    '=?base64?c2VhcmNo?=',
    '日本',
    'a,b',
  ),
  fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }),
);
const isPlain = (text: string) => /^[!-~]([ -~\t]*[!-~])?$/.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='));
/** Encodes as the specification's client does. */
const encode = (text: string) => (isPlain(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`);

describe('the name', () => {
  test('passes where both say the same, and nowhere else', () => {
    fc.assert(
      fc.property(name, name, (inBody, inHeader) => {
        const { code } = read(call(inBody, {}, { 'mcp-name': encode(inHeader) }));
        expect(code === null).toBe(inBody === inHeader);
        if (code !== null) expect(code).toBe('header_mismatch');
      }),
      { numRuns: 2000 },
    );
  });

  test('that is sent as any text passes where it decodes to the body’s', () => {
    fc.assert(
      fc.property(
        name,
        fc.oneof(
          name,
          fc.string({ unit: 'binary' }),
          fc.base64String().map((text) => `=?base64?${text}?=`),
        ),
        (inBody, raw) => {
          const { code } = read(call(inBody, {}, { 'mcp-name': raw }));
          // a header's value has no blanks around it
          const passes = decodeHeaderValue(raw.replace(/^[ \t]+|[ \t]+$/g, '')) === inBody;
          expect(code === null).toBe(passes);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('has one encoded form only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(decodeHeaderValue(encode(a))).toBe(a);
        if (a !== b) expect(encode(a)).not.toBe(encode(b));
      }),
    );
  });
});

describe('the method', () => {
  const method = fc.constantFrom('tools/call', 'tools/list', 'prompts/get', 'Tools/Call', 'tools/call ', 'tools//call', 'ping');
  test('passes where both say the same', () => {
    fc.assert(
      fc.property(method, method, (inBody, inHeader) => {
        const sent: Sent = {
          headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': inHeader, 'mcp-name': 'search' },
          body: { jsonrpc: '2.0', id: 1, method: inBody, params: { name: 'search', _meta: META } },
        };
        const { code } = read(sent);
        expect(code === null).toBe(inBody === inHeader.trim());
      }),
    );
  });
});

describe('a parameter', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 8, unit: 'binary' }),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  test('passes where both say the same', () => {
    fc.assert(
      fc.property(value, value, (inBody, inHeader) => {
        const { code } = read(call('comment', { queue: inBody }, { 'mcp-param-queue': encode(String(inHeader)) }));
        const whole = typeof inBody !== 'number' || Number.isSafeInteger(inBody);
        const same =
          whole &&
          (String(inBody) === String(inHeader) ||
            (typeof inBody === 'number' && inBody === Number(inHeader) && /^-?\d/.test(String(inHeader))));
        expect(code === null).toBe(same);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the message', () => {
  const json = fc.json({ maxDepth: 4 });
  test('is total over any JSON, and reads nothing but one request', () => {
    fc.assert(
      fc.property(json, (text) => {
        const message = read({ ...list(), text });
        if (message.code === null) expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', method: 'tools/list' });
      }),
      { numRuns: 2000 },
    );
  });

  test('is total over what is nearly one', () => {
    const part = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('2.0', 'tools/list', 'tools/call', { _meta: META }, { name: 'search', _meta: META }),
    );
    const key = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', 'Method', 'PARAMS', 'x');
    fc.assert(
      fc.property(fc.dictionary(key, part), (more) => {
        const body = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META }, ...more };
        const message = read({ ...list(), text: JSON.stringify(body) });
        if (message.code !== null) return;
        expect(body).toMatchObject({ jsonrpc: '2.0', method: 'tools/list' });
        for (const name of ['result', 'Method', 'PARAMS']) expect(body).not.toHaveProperty(name);
      }),
      { numRuns: 2000 },
    );
  });

  test('with a name twice, at any depth and in any spelling, is refused', () => {
    const where = fc.constantFrom('', 'params', 'arguments', 'deep');
    const spell = (text: string, escaped: boolean) =>
      escaped ? `"\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}${text.slice(1)}"` : `"${text}"`;
    fc.assert(
      fc.property(where, fc.boolean(), fc.nat(3), (place, escaped, nested) => {
        const twice = (at: string, first: string) =>
          place === at ? `${first},${spell(first.slice(1, first.indexOf('"', 1)), escaped)}:1` : first;
        const deep = `${'{"a":'.repeat(nested)}{${twice('deep', '"b":1')}}${'}'.repeat(nested)}`;
        const args = `{${twice('arguments', `"q":${deep}`)}}`;
        const params = `{${twice('params', '"name":"search"')},"arguments":${args},"_meta":${JSON.stringify(META)}}`;
        const text = `{${twice('', '"method":"tools/call"')},"jsonrpc":"2.0","id":1,"params":${params}}`;
        expect(read({ ...call('search'), text }).code).toBe('body_invalid');
      }),
    );
  });

  test('is refused beyond the depth that is read, and never throws', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), fc.boolean(), (depth, lists) => {
        const nested = lists ? `${'['.repeat(depth)}${']'.repeat(depth)}` : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
        const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"a":${nested}},"_meta":${JSON.stringify(META)}}}`;
        // the message, its parameters and its arguments are three
        expect(read({ ...call('search'), text }).code === null).toBe(depth <= 29);
      }),
      { numRuns: 200 },
    );
  });
});
