import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileAttributes } from '../../src/enrich/sources/attributes.ts';
import { parseJsonPointer, resolveJsonPointer } from '../../src/formats/json-pointer.ts';
import { parseTextTemplate } from '../../src/formats/placeholder.ts';
import { parseStrictJson } from '../../src/formats/strict-json.ts';
import { fillUrl, parseUrlTemplate } from '../../src/formats/url-template.ts';

const nasty = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  fc
    .array(fc.constantFrom('.', '..', '/', '\\', '%2e', '%2F', '%5c', ';', '?', '#', '@', ':', '//', 'a', '\r\n', 'evil.example'), {
      minLength: 1,
    })
    .map((parts) => parts.join('')),
);
const PATHS = [
  '/{subject.id}',
  '/a/{subject.id}/b?x={network.asn}',
  '/x{subject.id}{network.asn}y/',
  '/?q={subject.id}&r=1-{network.asn}',
  '/.{subject.id}/%2e{network.asn}',
];

test('no value changes where a question goes, how many segments it has, or which names its query has', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PATHS), nasty, nasty, (path, id, asn) => {
      fc.pre(id.isWellFormed() && asn.isWellFormed());
      const template = parseUrlTemplate(`https://pip.internal:8443${path}`);
      if ('problem' in template) throw new Error(template.problem);
      const target = fillUrl(
        template,
        new Map([
          ['subject.id', id],
          ['network.asn', asn],
        ]),
      );
      if (target === null) return;
      const url = new URL(template.origin + target);
      expect([url.origin, url.username, url.hash]).toEqual(['https://pip.internal:8443', '', '']);
      // nothing was resolved away, by the parser of URLs either
      expect(url.pathname + url.search).toBe(target);
      expect(url.pathname.split('/')).toHaveLength(path.split('?')[0]?.split('/').length ?? 0);
      // not by a server that decodes before it splits
      const decoded = decodeURIComponent(url.pathname).split(/[/\\]/);
      expect(decoded.filter((segment) => segment === '.' || segment === '..')).toEqual([]);
      const plain = path.replace('{subject.id}', '§').replace('{network.asn}', '§');
      expect([...url.searchParams.keys()]).toEqual([...new URL(`https://pip${plain}`).searchParams.keys()]);
      if (path.startsWith('/a/')) {
        expect(decodeURIComponent(url.pathname.split('/')[2] ?? '')).toBe(id);
        expect(url.searchParams.get('x')).toBe(asn);
      }
    }),
    { numRuns: 2000 },
  );
});

test('whatever is read as a template has a fixed origin and is filled without an exception', () => {
  const part = fc.constantFrom(
    'https://',
    'http://',
    'pip',
    '{subject.id}',
    '{claims.x}',
    '{',
    '}',
    '/',
    '?',
    '=',
    '&',
    '#',
    '@',
    ':',
    '%2e',
    '%',
    '.',
    '..',
    '\\',
    ' ',
    'é',
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
      nasty,
      (text, value) => {
        fc.pre(value.isWellFormed());
        parseTextTemplate(text);
        const template = parseUrlTemplate(text);
        if ('problem' in template) return;
        expect(text.startsWith(new URL(template.origin).protocol)).toBe(true);
        const target = fillUrl(
          template,
          new Map([
            ['subject.id', value],
            ['claims.x', value],
          ]),
        );
        if (target !== null) expect(new URL(template.origin + target).origin).toBe(template.origin);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a pointer made from names finds what they lead to', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 }), fc.jsonValue(), (names, leaf) => {
      const document = names.reduceRight<unknown>((below, name) => Object.fromEntries([[name, below]]), leaf);
      const bytes = Buffer.from(JSON.stringify(document));
      const parsed = parseStrictJson(bytes, { depthMax: 64, keysMax: 10_000 });
      fc.pre(parsed.ok);
      if (!parsed.ok) return;
      const pointer = names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
      expect(resolveJsonPointer(parsed.value, parseJsonPointer(pointer) ?? ['-'])).toEqual(JSON.parse(JSON.stringify(leaf)));
    }),
  );
});

test('no pointer and no document raise an exception, and attributes are of the form that was asked for or not at all', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom('string', 'number', 'boolean', 'strings'),
      fc.boolean(),
      fc.jsonValue(),
      (text, type, optional, answer) => {
        const pointer = parseJsonPointer(`/${text}`) === null ? '' : `/${text}`;
        const parsed = parseStrictJson(Buffer.from(JSON.stringify({ [text]: answer })), { depthMax: 64, keysMax: 10_000 });
        const picked = parsed.ok ? compileAttributes({ x: { pointer, type, optional } })?.(parsed.value) : 'attribute_missing';
        if (typeof picked === 'string' || picked === undefined) return;
        const value = picked['x'];
        if (value === null) expect(optional).toBe(true);
        else if (type === 'strings') expect(Array.isArray(value) && value.every((one) => typeof one === 'string')).toBe(true);
        else expect(typeof value).toBe(type);
      },
    ),
  );
});
