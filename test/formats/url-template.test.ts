import { describe, expect, test } from 'vitest';
import { fillUrl, parseUrlTemplate } from '../../src/formats/url-template.ts';

function fill(template: string, values: Readonly<Record<string, string>> = {}): string | null {
  const parsed = parseUrlTemplate(template);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const target = fillUrl(parsed, new Map(Object.entries(values)));
  return target === null ? null : parsed.origin + target;
}

describe('a template', () => {
  test.each([
    ['https://pip.internal', 'https://pip.internal/'],
    ['https://PIP.internal:443/a//b/', 'https://pip.internal/a//b/'],
    ['https://pip.internal:8443/a%20b?x&y=1', 'https://pip.internal:8443/a%20b?x&y=1'],
    ['http://[::1]:80/?a=b=c', 'http://[::1]/?a=b=c'],
  ])('without placeholders is what it is: %s', (template, url) => {
    expect(fill(template)).toBe(url);
  });

  test('is filled in segments and query values, encoded', () => {
    const values = { 'subject.client': 'a/b ?#%é&=', 'network.address': '2001:db8::1', 'claims.https://x.example/tenant': 't' };
    expect(fill('https://pip/c/{subject.client}/x-{claims.https://x.example/tenant}?ip={network.address}&c={subject.client}', values)).toBe(
      'https://pip/c/a%2Fb%20%3F%23%25%C3%A9%26%3D/x-t?ip=2001%3Adb8%3A%3A1&c=a%2Fb%20%3F%23%25%C3%A9%26%3D',
    );
  });

  test.each([
    ['no URL', 'pip.internal/a'],
    ['another scheme', 'ftp://pip/a'],
    ['credentials', 'https://user:secret@pip/a'],
    ['a user that is filled in', 'https://{subject.id}@pip/a'],
    ['a host that is filled in', 'https://{subject.id}/a'],
    ['a part of the host', 'https://pip.{subject.id}.internal/a'],
    ['a port that is filled in', 'https://pip:{network.asn}/a'],
    ['a host that is filled in after a backslash', 'https://pip\\{subject.id}/a'],
    ['a scheme that is filled in', '{request.method}://pip/a'],
    ['a fragment', 'https://pip/a#b'],
    ['a name of the query', 'https://pip/a?{subject.id}=1'],
    ['an empty name of the query', 'https://pip/a?=1'],
    ['a dot segment', 'https://pip/a/../b'],
    ['a dot segment that is encoded', 'https://pip/a/%2e%2E/b'],
    ['a dot segment behind an encoded slash', 'https://pip/a/x%2f..%2fb'],
    ['a space', 'https://pip/a b'],
    ['a half percent', 'https://pip/a%2'],
    ['a backslash', 'https://pip/a\\b'],
    ['a semicolon', 'https://pip/a;b'],
    ['a line break', 'https://pip/a\nb'],
    ['a letter that is not encoded', 'https://pip/é'],
    ['a placeholder that is not known', 'https://pip/{subject.password}'],
    ['one of a prototype', 'https://pip/{constructor}'],
    ['a claim without a name', 'https://pip/{claims.}'],
    ['an open brace', 'https://pip/{subject.id'],
    ['a closing brace', 'https://pip/subject.id}'],
    ['a brace within a brace', 'https://pip/{{subject.id}}'],
  ])('is refused: %s', (_what, template) => {
    expect(parseUrlTemplate(template)).toEqual({ problem: expect.any(String) });
  });

  test.each(['.', '..', '../x', 'x/..', 'x/../y', '..\\x', 'x\\..', '..;x', '%2e%2e', '.%2E', 'x%2f..', '..%2fx', '%2e%2e%5cx', '/..'])(
    'a value that could leave its segment: %j',
    (value) => {
      expect(fill('https://pip/a/{subject.id}/b', { 'subject.id': value })).toBeNull();
      // in a query it is a text like others
      expect(fill('https://pip/a?x={subject.id}', { 'subject.id': value })).toBe(`https://pip/a?x=${encodeURIComponent(value)}`);
    },
  );

  test('also with what stands beside it', () => {
    expect(fill('https://pip/.{subject.id}', { 'subject.id': '.' })).toBeNull();
    expect(fill('https://pip/{subject.id}{network.asn}', { 'subject.id': '.', 'network.asn': '.' })).toBeNull();
    expect(fill('https://pip/%2e{subject.id}/b', { 'subject.id': '.' })).toBeNull();
  });

  test.each(['...', 'a..b', '..a', 'a.', 'spiffe://td/ns/default/sa/x', 'https://as.example/', 'a%2fb'])(
    'and one that only looks so: %j',
    (value) => {
      expect(fill('https://pip/{subject.id}', { 'subject.id': value })).toBe(`https://pip/${encodeURIComponent(value)}`);
    },
  );

  test('more than 8 KiB are not sent', () => {
    const values = { 'subject.id': '\u{1f600}'.repeat(256) };
    expect(fill('https://pip/{subject.id}', values)).not.toBeNull();
    expect(fill(`https://pip/?${'a={subject.id}&'.repeat(3)}b`, values)).toBeNull();
  });
});
