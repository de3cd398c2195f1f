import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JSON_LIMITS, parseJsonBody } from '../../src/endpoints/json-body.ts';

const text = fc.json({
  maxDepth: 6,
  stringUnit: fc.constantFrom('a', 'b', '"', '\\', '\n', '{', '}', '[', ',', ':', 'é', '😀', '\u0000', '\ud800'),
});
const bytesOf = (json: string) => new TextEncoder().encode(json);

/** The slow oracle: walks the parsed value; duplicates are seen by writing it again with a reviver that counts. */
const wellFormed = (value: unknown): boolean => {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, member]) => key.isWellFormed() && wellFormed(member));
};

describe('parseJsonBody', () => {
  test('what JSON.stringify wrote is taken as JSON.parse takes it, unless it holds a lone surrogate', () => {
    fc.assert(
      fc.property(text, (json) => {
        const parsed = parseJsonBody(bytesOf(json), JSON_LIMITS);
        const value: unknown = JSON.parse(json);
        if (wellFormed(value)) expect(parsed).toEqual({ ok: true, value });
        else expect(parsed).toEqual({ ok: false, code: 'body_lone_surrogate' });
      }),
      { numRuns: 3000 },
    );
  });

  test('mutated bytes never throw, and what is taken is what JSON.parse reads', () => {
    const edit = fc.record({
      at: fc.nat(400),
      byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('"\\{}[],:u019eE-+.'))),
    });
    fc.assert(
      fc.property(text, fc.array(edit, { minLength: 1, maxLength: 5 }), fc.boolean(), (json, edits, cut) => {
        let bytes = bytesOf(json);
        for (const { at, byte } of edits) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        if (cut) bytes = bytes.subarray(0, (edits[0]?.at ?? 0) % (bytes.length + 1));
        const parsed = parseJsonBody(bytes, JSON_LIMITS);
        if (parsed.ok) expect(parsed.value).toEqual(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
        else expect(parsed.code).toMatch(/^body_/);
      }),
      { numRuns: 5000 },
    );
  });

  test('a name that is given twice anywhere is found, in whatever spelling', () => {
    const spell = (name: string, escaped: boolean) => {
      const units = [...name].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
      return escaped ? `"${units.join('')}"` : JSON.stringify(name);
    };
    const key = fc.stringMatching(/^[a-z_]{1,6}$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { minLength: 1, maxLength: 30 }),
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        fc.nat(4),
        (keys, which, where, escaped, wrap) => {
          const members = keys.map((name) => `${spell(name, false)}:{"${name}":[]}`);
          const twice = keys[which % keys.length] ?? '';
          members.splice(where % (members.length + 1), 0, `${spell(twice, escaped)}:1`);
          const json = `${'{"w":['.repeat(wrap)}{${members.join(',')}}${']}'.repeat(wrap)}`;
          expect(parseJsonBody(bytesOf(json), JSON_LIMITS)).toEqual({ ok: false, code: 'body_duplicate_key', field: twice });
        },
      ),
      { numRuns: 1000 },
    );
  });
});
