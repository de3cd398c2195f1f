import { TRUSTS } from '../../src/contract/pep.ts';
import { resolveSegments } from '../../src/endpoints/canonical-path.ts';
import { canonicalTarget } from '../../src/endpoints/canonical-url.ts';
import { receiveDecide } from '../../src/endpoints/decide/receive.ts';
import { receiveCheck } from '../../src/endpoints/ext-authz/receive.ts';
import { parseQuery } from '../../src/endpoints/query.ts';
import type { Noted } from '../../src/endpoints/target-flags.ts';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { chainEntries, parseForwarded, parseNode } from '../../src/enrich/forwarded.ts';
import { parseIpBlock } from '../../src/enrich/ip-address.ts';
import { scanJson } from '../../src/formats/json-scan.ts';
import { parseStrictJson } from '../../src/formats/strict-json.ts';
import { makeRequest } from '../../test/identify/fixtures.ts';
import { encodeCheckRequest } from '../check-request.ts';
import { casesOf, filled, type HostileCase } from './case.ts';

/* What a gateway sends: JSON, protobuf, targets, chains of addresses. */

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const { pep, id } = makeRequest(clock, { trusts: TRUSTS });
const asked = { id, pep, receivedAtMs: 0, deadlineAtMs: 1000, explain: false };
const noted = (): Noted => ({ flags: [], ambiguous: false });
/** Deep and wide enough that no cap ends the pass early. */
const LIMITS = { depthMax: 100_000, keysMax: 1_000_000 };

const jsonTexts: Readonly<Record<string, (bytes: number) => string>> = {
  'names, no two the same': filled('{"a":0', (index) => `,"${index.toString(36)}":0`, '}'),
  'names written in escapes': filled('{"a":0', (index) => `,"\\u0061${index.toString(36)}":0`, '}'),
  'empty objects': filled('[{}', ',{}', ']'),
  'objects of one name within each other': (bytes) => `${'{"a":'.repeat(bytes / 6)}0${'}'.repeat(bytes / 6)}`,
  'open brackets': filled('', '['),
  escapes: filled('["', '\\u0041', '"]'),
  'escaped backslashes': filled('["', '\\\\', '"]'),
  'escaped quotes and no end': filled('["', '\\"'),
  'surrogates in pairs': filled('["', '\\ud83d\\ude00', '"]'),
  'empty texts': filled('[""', ',""', ']'),
  'a number of many digits': filled('[', '9', ']'),
  numbers: filled('[0', ',1e300', ']'),
  blanks: filled('[', ' ', ']'),
  'texts with one escape far behind': filled('["a"', ',"a"', ',"\\n"]'),
};

const decide = (text: string) => receiveDecide(Buffer.from(text), asked);
const ask = { id: '1', method: 'GET', host: 'a.example', path: '/', headers: [], ip: '192.0.2.1', expected: 'allow' } as const;

/** Headers of a CheckRequest: some 12 bytes each. */
function headersOf(bytes: number, one: (index: number) => readonly [string, string]): Buffer {
  return encodeCheckRequest({ ...ask, headers: Array.from({ length: Math.floor(bytes / 12) }, (_, index) => one(index)) }, null);
}

/** `field` holds a message that holds one, and so on; lengths of three bytes. */
function nested(bytes: number): Buffer {
  const levels = Math.floor(bytes / 4);
  const all = Buffer.alloc(levels * 4, 0);
  for (let level = 0; level < levels; level += 1) {
    const inside = (levels - level - 1) * 4;
    all.set([0x0a, (inside & 127) | 128, ((inside >> 7) & 127) | 128, inside >> 14], level * 4);
  }
  return all;
}

function checkCase(input: string, bytesOf: (bytes: number) => Buffer): HostileCase {
  return {
    parser: 'CheckRequest',
    input,
    make(bytes) {
      const made = bytesOf(bytes);
      return () => receiveCheck(made, asked, { namespace: 'envoy.filters.http.jwt_authn', key: null });
    },
  };
}

const pathTexts: Readonly<Record<string, (bytes: number) => string>> = {
  segments: filled('', '/a'),
  'dot segments': filled('', '/..'),
  'escaped slashes and dots': filled('/', '%2f..'),
  'escaped slashes in one segment': filled('/', '%2fa'),
  'broken escapes': filled('/', '%'),
  'bytes that are no UTF-8': filled('/', '%ff'),
  parameters: filled('/', ';a'),
  'segments with parameters': filled('', '/;'),
  'escaped percents': filled('/', '%2541'),
  slashes: filled('', '/'),
  backslashes: filled('/', '\\'),
};

const queryTexts: Readonly<Record<string, (bytes: number) => string>> = {
  pairs: filled('', (index) => `a${index}=1&`),
  separators: filled('', '&'),
  'one long value of plus signs': filled('a=', '+'),
  'broken escapes': filled('a=', '%'),
  'bytes that are no UTF-8': filled('a=', '%ff'),
};

const everywhere = ['0.0.0.0/0', '::/0'].map(parseIpBlock).filter((block) => block !== null);
const chain = (header: string) => (text: string) =>
  findClientAddress(
    { ip: '10.0.0.1', port: null, forwardedFor: chainEntries([text], header) },
    { header, appendsPeer: false, hops: null },
    everywhere,
  );

export const requestCases: readonly HostileCase[] = [
  ...casesOf('JSON scan', (text) => scanJson(text, LIMITS), jsonTexts),
  ...casesOf('strict JSON', (text) => parseStrictJson(Buffer.from(text), LIMITS), jsonTexts),
  ...casesOf('/decide body', decide, {
    ...jsonTexts,
    headers: filled('{"request":{"method":"GET","path":"/","headers":{"a":"b"', (index) => `,"h${index}":"v"`, '}}}'),
    'values of one header': filled('{"request":{"method":"GET","path":"/","headers":{"a":["b"', ',"b"', ']}}}'),
    'members that are unknown': filled('{"a":0', (index) => `,"${index.toString(36)}":0`, '}'),
    'members of a subject': filled('{"subject":{"type":"t","id":"i"', (index) => `,"k${index}":0`, '}}'),
    'a context of lists': filled('{"context":{"a":[0', ',[]', ']}}'),
    'names of a certificate': filled('{"certificate":{"uris":["a"', (index) => `,"u${index}"`, ']}}'),
    'a long chain': filled('{"source":{"forwarded_for":["a"', ',"a"', ']}}'),
  }),
  checkCase('headers, no two the same', (bytes) => headersOf(bytes, (index) => [`h${index}`, 'v'])),
  checkCase('one header again and again', (bytes) => headersOf(bytes, () => ['accept', 'v'])),
  checkCase('look-alikes of a credential', (bytes) => headersOf(bytes, (index) => [`x_api_key${index % 7}`, 'v'])),
  checkCase('a long path', (bytes) => encodeCheckRequest({ ...ask, path: filled('/', '%2f..')(bytes) }, null)),
  checkCase('messages within each other', nested),
  checkCase('fields of no meaning', (bytes) => Buffer.from(filled('', 'x\u0001')(bytes), 'latin1')),
  checkCase('a number without an end', (bytes) => Buffer.alloc(bytes, 0x80)),
  ...casesOf('path', (text) => resolveSegments(text, noted()), pathTexts),
  ...casesOf('canonical URL', canonicalTarget, pathTexts, [4096, 8192]),
  ...casesOf('query', (text) => parseQuery(text, noted()), queryTexts),
  ...casesOf('chain of X-Forwarded-For', chain('x-forwarded-for'), {
    addresses: filled('10.0.0.1', ', 10.0.0.1'),
    commas: filled('', ','),
    'one long entry': filled('', '1'),
    blanks: filled('10.0.0.1,', ' '),
  }),
  ...casesOf('chain of Forwarded', chain('forwarded'), {
    elements: filled('for=10.0.0.1', ',for=10.0.0.1'),
    parameters: filled('for=10.0.0.1', (index) => `;k${index}=v`),
    'escapes in quotes': filled('for="', '\\"', '"'),
    'quotes without an end': filled('for="', '\\\\'),
    blanks: filled('for=a', ' ', ';'),
    semicolons: filled('', ';'),
  }),
  ...casesOf('Forwarded', parseForwarded, { elements: filled('for=a', ',for=a'), names: filled('', 'n') }),
  ...casesOf('address of a hop', parseNode, { digits: filled('', '1'), colons: filled('[', ':', ']'), dots: filled('', '1.') }),
];
