import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeldBytes } from '../../src/endpoints/admission.ts';
import { frameMessage, MessageReader } from '../../src/endpoints/grpc-framing.ts';
import { parseGrpcTimeout } from '../../src/endpoints/grpc-timeout.ts';
import { clientValue, isSettableName, upstreamValue } from '../../src/endpoints/header-values.ts';

/** `bytes` cut at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : at[index - 1], end));
}

describe('framing', () => {
  const budget = (): HeldBytes => ({ heldBytes: 0, bytesMax: 1_000_000 });

  test('one message comes out as it went in, however it was cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 20 }), (message, cuts) => {
        const held = budget();
        const reader = new MessageReader(300, held);
        for (const piece of pieces(frameMessage(message), cuts)) reader.push(piece);
        expect(reader.end()).toEqual({ kind: 'message', bytes: Buffer.from(message) });
        // until it is answered
        expect(held.heldBytes).toBe(message.length + 5);
        reader.discard();
        expect(held.heldBytes).toBe(0);
      }),
    );
  });

  test('any bytes in any pieces give one of the closed answers, the same for every cut, and hold nothing at the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(fc.nat(), { maxLength: 10 }), (noise, cuts) => {
        const bytes = Buffer.from(noise);
        const answers = [[bytes], pieces(bytes, cuts)].map((parts) => {
          const held = budget();
          const reader = new MessageReader(16, held);
          for (const part of parts) reader.push(part);
          const incoming = reader.end();
          reader.discard();
          expect(held.heldBytes).toBe(0);
          return incoming;
        });
        expect(answers[1]).toEqual(answers[0]);
        const announced = bytes.length >= 5 ? bytes.readUInt32BE(1) : null;
        if (announced !== null && announced > 16) expect(answers[0]).toEqual({ kind: 'too_large' });
        else if (announced === null || announced !== bytes.length - 5) expect(answers[0]?.kind).toBe('broken');
        else expect(answers[0]?.kind).toBe(bytes[0] === 0 ? 'message' : 'compressed');
      }),
    );
  });

  test('what all calls hold together is bounded', () => {
    const held: HeldBytes = { heldBytes: 0, bytesMax: 100 };
    const readers = Array.from({ length: 10 }, () => new MessageReader(1_000, held));
    for (const reader of readers) {
      reader.push(frameMessage(Buffer.alloc(50)).subarray(0, 40));
      expect(held.heldBytes).toBeLessThanOrEqual(100);
    }
    expect(readers.map((reader) => reader.end().kind)).toContain('overloaded');
    for (const reader of readers) reader.discard();
    expect(held.heldBytes).toBe(0);
  });
});

describe('grpc-timeout', () => {
  const units = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

  test('all units, at most 8 digits', () => {
    for (const [unit, ms] of Object.entries(units)) {
      fc.assert(
        fc.property(fc.nat(99_999_999), (count) => {
          expect(parseGrpcTimeout(`${count}${unit}`)).toBeCloseTo(count * ms, 6);
        }),
      );
    }
    expect(parseGrpcTimeout('200m')).toBe(200);
  });

  test('anything else is no timeout', () => {
    for (const text of ['', 'm', '1', '1s', '1 m', '-1m', '+1m', '1.5S', '1e3m', '123456789m', '0x1m', '１m', ' 1m']) {
      expect(parseGrpcTimeout(text)).toBeNull();
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseGrpcTimeout(text);
        expect(ms === null || (/^\d{1,8}[HMSmun]$/.test(text) && Number.isFinite(ms) && ms >= 0)).toBe(true);
      }),
    );
    expect(parseGrpcTimeout(undefined)).toBeNull();
  });
});

describe('header values', () => {
  const anyText = fc.string({ unit: 'binary' });
  // what every hop passes on: RFC 9110 5.5 without obs-text
  const passes = (value: string) => /^[\t\x20-\x7e]*$/.test(value) && value === value.trim();

  test('a value for the upstream is safe, and says which value it was', () => {
    const read = (sent: string) => {
      const encoded = /^=\?base64\?(.*)\?=$/.exec(sent);
      return encoded === null ? sent : Buffer.from(encoded[1] ?? '', 'base64').toString('utf8');
    };
    fc.assert(
      fc.property(anyText, (value) => {
        const sent = upstreamValue(value);
        expect(passes(sent)).toBe(true);
        expect(read(sent)).toBe(value);
      }),
    );
    expect(upstreamValue('spiffe://td/a b%20')).toBe('spiffe://td/a b%20');
  });

  test('a value for the client is safe, and untouched where it was', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        expect(passes(clientValue(value))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[\x21-\x7e]{1,40}$/), (value) => {
        expect(clientValue(value)).toBe(value);
      }),
    );
  });

  test('no name that is not one', () => {
    for (const name of ['', 'A', 'a b', ':path', 'host', 'a\r', 'a:', 'content-length', 'connection', 'ä'])
      expect(isSettableName(name)).toBe(false);
    for (const name of ['x-a', 'x_a', 'x.a', 'www-authenticate']) expect(isSettableName(name)).toBe(true);
  });
});
