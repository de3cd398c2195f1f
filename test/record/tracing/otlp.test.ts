import { expect, it } from 'vitest';
import { createOtlpEncoder } from '../../../src/record/tracing/otlp.ts';
import { type Attribute, type Span, textAttribute } from '../../../src/record/tracing/span.ts';
import { readOtlp } from '../../support/otlp-receiver.ts';

const spanWith = (attributes: readonly Attribute[]): Span => ({
  ...{ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', parentSpanId: null, state: '', flags: 0x101 },
  ...{ name: 'decide', kind: 1, startMs: 10, endMs: 11, epochMs: 1_700_000_000_000, failed: null, attributes },
});

/** Protobuf strings are UTF-8, or the collector refuses the whole batch for one of them. */
function textsIn(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: false }).decode(bytes);
}

it.each([
  ['a half of a pair', 'a\ud83d', 'a\ufffd'],
  ['the other half', '\udc00b', '\ufffdb'],
  ['an empty text', '', ''],
  ['a zero byte', 'a\0b', 'a\0b'],
  ['a pair', '😀', '😀'],
])('%s is written as a reader takes it, in both encodings', (_what, text, read) => {
  for (const encoding of ['json', 'protobuf'] as const) {
    const sender = { resource: [['name', text]] as const, scope: { name: 'countersign', version: '1' } };
    const { encode, contentType } = createOtlpEncoder(encoding, sender);
    const bytes = Buffer.from(
      encode([
        spanWith([
          ['text', text],
          ['after', 7],
        ]),
      ]),
    );
    const [span] = readOtlp(contentType, bytes);
    expect([span?.attributes, span?.resource]).toEqual([{ text: read, after: '7' }, { name: read }]);
    if (encoding === 'protobuf' && !read.includes('\ufffd')) expect(textsIn(bytes.subarray(0, 40))).not.toContain('\ufffd\ufffd');
    else expect(bytes.includes('\\ud')).toBe(false);
    expect(bytes.includes(Buffer.from([0xed, 0xa0, 0xbd]))).toBe(false);
    expect(bytes.includes(Buffer.from([0xed, 0xb0, 0x80]))).toBe(false);
  }
});

it('a text that is cut is not cut within a pair', () => {
  expect(textAttribute('x', `${'x'.repeat(255)}😀y`)[1]).toBe(`${'x'.repeat(255)}\ufffd…`);
});

it.each([
  ['zero', 0, '0'],
  ['a negative number', -3, '-3'],
  ['the largest', Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ['a fraction', 0.5, 0.5],
])('%s is a number of 64 bits, in both encodings', (_what, value, read) => {
  for (const encoding of ['json', 'protobuf'] as const) {
    const { encode, contentType } = createOtlpEncoder(encoding, { resource: [], scope: { name: 'countersign', version: '1' } });
    const [span] = readOtlp(
      contentType,
      Buffer.from(
        encode([
          spanWith([
            ['n', value],
            ['yes', true],
            ['no', false],
          ]),
        ]),
      ),
    );
    expect(span?.attributes).toEqual({ n: read, yes: true, no: false });
  }
});
