import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCheckResponse } from '../../../src/endpoints/ext-authz/encode-response.ts';
import {
  type CheckResponseMessage,
  checkResponse,
  type HeaderOption,
  OVERWRITE,
  type ProtoStruct,
} from '../../../src/endpoints/ext-authz/schema.ts';

/** The encoder by hand and the general one give the same bytes for any message that we can build. */

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constant('x'.repeat(20_000)),
  fc.constant('é'.repeat(70)),
);
const option: fc.Arbitrary<HeaderOption> = fc.record({
  header: fc.record({ key: text, value: text }),
  appendAction: fc.constant(OVERWRITE),
});
const options = fc.array(option, { maxLength: 12 });
const value = fc.oneof(
  text.map((stringValue) => ({ stringValue })),
  fc.double({ noNaN: true }).map((numberValue) => ({ numberValue })),
  fc.boolean().map((boolValue) => ({ boolValue })),
  fc
    .array(
      text.map((stringValue) => ({ stringValue })),
      { maxLength: 5 },
    )
    .map((values) => ({ listValue: { values } })),
  fc.constant({ structValue: { fields: [{ key: 'inner', value: { stringValue: 'x' } }] } }),
);
const dynamicMetadata: fc.Arbitrary<ProtoStruct> = fc.record({ fields: fc.array(fc.record({ key: text, value }), { maxLength: 6 }) });
const refusal = fc.constantFrom(3 as const, 7 as const, 8 as const, 13 as const, 16 as const).map((code) => ({ code }));
const denied = fc.record({ status: fc.record({ code: fc.integer({ min: 200, max: 599 }) }), headers: options, body: text });
const message: fc.Arbitrary<CheckResponseMessage> = fc.oneof(
  fc.record({
    status: fc.constant({ code: 0 as const }),
    okResponse: fc.record({ headers: options, headersToRemove: fc.array(text, { maxLength: 20 }), responseHeadersToAdd: options }),
    dynamicMetadata,
  }),
  fc.record({ status: refusal, deniedResponse: denied, dynamicMetadata }),
  fc.record({ status: refusal, errorResponse: denied, dynamicMetadata }),
);

describe('encodeCheckResponse', () => {
  it('gives the bytes of the general encoder', () => {
    fc.assert(
      fc.property(message, (one) => {
        expect(Buffer.from(encodeCheckResponse(one)).toString('hex')).toBe(Buffer.from(checkResponse.encode(one)).toString('hex'));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps an answer as it is while later ones are encoded', () => {
    const of = (code: 7 | 16, body: string): CheckResponseMessage => ({
      status: { code },
      deniedResponse: { status: { code: 403 }, headers: [], body },
      dynamicMetadata: { fields: [] },
    });
    const first = encodeCheckResponse(of(7, 'first'));
    const before = Buffer.from(first).toString('hex');
    encodeCheckResponse(of(16, 'a second one'));
    expect(Buffer.from(first).toString('hex')).toBe(before);
  });
});
