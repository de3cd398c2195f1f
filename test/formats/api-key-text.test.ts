import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, keyedHashText, parseKeyedHash } from '../../src/formats/api-key-hash.ts';
import { makeApiKey, parseApiKey } from '../../src/formats/api-key-text.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('a key', () => {
  it('has an id, 256 bits and a checksum in the form that is documented for scanners', () => {
    const { id, text } = makeApiKey(randomBytes);
    expect(text).toMatch(/^csk_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}$/);
    expect(parseApiKey(text)).toEqual({ id });
  });

  it('asks its source for 32 secret bytes, and gives all of them their place: the least and the greatest of them are told apart', () => {
    const sizes: number[] = [];
    const filled = (byte: number) => (size: number) => {
      sizes.push(size);
      return Buffer.alloc(size, byte);
    };
    const least = makeApiKey(filled(0)).text;
    const greatest = makeApiKey(filled(255)).text;
    expect(sizes).toEqual([11, 32, 11, 32]);
    expect(least.slice(20, 63)).toBe('0'.repeat(43));
    // the digits of 2^256 - 1, so that nothing was cut
    const value = [...greatest.slice(20, 63)].reduce((sum, digit) => sum * 62n + BigInt(BASE62.indexOf(digit)), 0n);
    expect(value).toBe(2n ** 256n - 1n);
    expect(parseApiKey(greatest)).toHaveProperty('id');
  });

  it('with any one character changed is told from a good one without a look-up', () => {
    const { text } = makeApiKey(randomBytes);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...BASE62, '_', '-', ' '), (at, other) => {
        const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
        if (changed !== text) expect(typeof parseApiKey(changed)).toBe('string');
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['another prefix', 'ghp_'],
    ['white space around it', ' '],
  ])('is malformed with %s', (_, prefix) => {
    const { text } = makeApiKey(randomBytes);
    expect(parseApiKey(`${prefix}${text.slice(prefix === ' ' ? 0 : 4)}`)).toBe('malformed');
    expect(parseApiKey(`${text}\n`)).toBe('malformed');
  });

  it('never throws on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(parseApiKey(text)).toBe('malformed');
      }),
    );
  });
});

describe('a keyed hash', () => {
  const secret = Buffer.alloc(32, 7);
  const digest = digestOf('csk_a_b', secret);

  it('is of the key and of the secret of the server', () => {
    expect(digestOf('csk_a_c', secret)).not.toEqual(digest);
    expect(digestOf('csk_a_b', Buffer.alloc(32, 8))).not.toEqual(digest);
  });

  it('has one spelling', () => {
    const text = keyedHashText('k1', digest);
    expect(parseKeyedHash(text)).toEqual({ hashKeyId: 'k1', digest: digest.toString('base64url') });
    const last = text.at(-1) ?? '';
    // the last character has two bits that say nothing
    const twin = `${text.slice(0, -1)}${String.fromCharCode(last.charCodeAt(0) + 1)}`;
    for (const other of [twin, `${text}=`, text.toUpperCase(), text.replace('hmac-sha256', 'sha256'), text.replace('k1', ''), ` ${text}`]) {
      expect(parseKeyedHash(other)).toBeNull();
    }
  });
});
