import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalHost, canonicalTarget } from '../../src/endpoints/canonical-url.ts';

const HEX = '0123456789abcdefABCDEF';
const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '/../',
    ';',
    '\\',
    '%2f',
    '%2F',
    '%5c',
    '%2e',
    '%252e',
    '%00',
    '%',
    '%zz',
    '%c0%ae',
    '?',
    '&',
    '=',
    '#',
    '+',
    '*',
  ),
  fc.tuple(fc.constantFrom(...HEX), fc.constantFrom(...HEX)).map(([a, b]) => `%${a}${b}`),
  fc.string({ maxLength: 4, unit: 'binary' }),
  fc.constantFrom('admin', 'a', 'b1', '~', '-', '_'),
);
const target = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));
const rooted = target.map((text) => `/${text}`);

/** The canonical path written as a target again. */
const written = (segments: readonly string[]) => `/${segments.map((segment) => encodeURIComponent(segment)).join('/')}`;

describe('canonicalTarget', () => {
  test('never throws, gives well-formed text, and path and segments agree', () => {
    fc.assert(
      fc.property(fc.oneof(target, rooted, fc.string({ unit: 'binary' })), (text) => {
        const read = canonicalTarget(text);
        expect(read.path.isWellFormed() && read.pathRaw.isWellFormed()).toBe(true);
        if (!read.flags.includes('segments_capped') && read.path !== '*') expect(read.path).toBe(`/${read.segments.join('/')}`);
      }),
      { numRuns: 2000 },
    );
  });

  test('no empty and no dot segment comes out', () => {
    fc.assert(
      fc.property(fc.oneof(target, rooted), (text) => {
        for (const segment of canonicalTarget(text).segments) expect(['', '.', '..']).not.toContain(segment);
      }),
      { numRuns: 2000 },
    );
  });

  test('canonical of canonical is the same, and unflagged but for parameters', () => {
    fc.assert(
      fc.property(rooted, (text) => {
        const once = canonicalTarget(text);
        if (once.ambiguous) return;
        const twice = canonicalTarget(written(once.segments));
        expect(twice.path).toBe(once.path);
        expect(twice.ambiguous).toBe(false);
        expect(twice.flags.filter((flag) => flag !== 'path_parameters')).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('encoding an unreserved letter, digit, hyphen, underscore or tilde changes nothing', () => {
    fc.assert(
      fc.property(rooted, fc.infiniteStream(fc.boolean()), (text, coins) => {
        const encoded = text.replace(/%[0-9a-f]{2}|%|[a-z0-9_~-]/gi, (char) => {
          if (char.length > 1 || char === '%' || coins.next().value === false) return char;
          return `%${char.charCodeAt(0).toString(16)}`;
        });
        // a percent before a letter, or an absolute form, would be made another text by it
        fc.pre(!/%(?![0-9a-f]{2})/i.test(text) && !text.includes('%25'));
        const plain = canonicalTarget(text);
        const other = canonicalTarget(encoded);
        fc.pre(!plain.flags.includes('path_too_long') && !other.flags.includes('path_too_long'));
        expect({ ...other, pathRaw: '', queryRaw: '' }).toEqual({ ...plain, pathRaw: '', queryRaw: '' });
      }),
      { numRuns: 2000 },
    );
  });

  test('an unambiguous path is the one that WHATWG URL resolves', () => {
    fc.assert(
      fc.property(rooted, (text) => {
        const read = canonicalTarget(text);
        if (read.ambiguous) return;
        const url = new URL(text.split('?')[0] ?? '', 'http://h');
        const merged = decodeURIComponent(url.pathname)
          .replace(/\/+/g, '/')
          .replace(/(.)\/$/, '$1');
        expect(url.host).toBe('h');
        // WHATWG strips spaces at the end of its whole input, which no request line can carry
        expect(read.path.trimEnd()).toBe(merged.trimEnd());
      }),
      { numRuns: 2000 },
    );
  });
});

test('canonicalHost never throws, and what it accepts is a fixed point', () => {
  const authority = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.domain(),
    fc.ipV6().map((ip) => `[${ip}]`),
    fc.webAuthority({ withPort: true }),
  );
  fc.assert(
    fc.property(authority, (text) => {
      const read = canonicalHost(text);
      if (read.flags.length > 0) expect(read.host).toBe('');
      else expect(canonicalHost(read.host)).toEqual({ ...read, port: null });
    }),
    { numRuns: 2000 },
  );
});
