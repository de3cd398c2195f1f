import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createCertificateReader } from '../../src/identify/certificate-offers.ts';
import { parseXfcc } from '../../src/identify/xfcc.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { vectorCases } from '../support/vectors.ts';

const pair = z.tuple([z.string(), z.string()]);
const schema = z.object({
  id: z.string(),
  header: z.string().optional(),
  header_hex: z.string().optional(),
  header_lines: z.array(z.string()).optional(),
  expect: z.enum(['parse', 'reject', 'policy']),
  elements: z.array(z.array(pair)).optional(),
});

/** Several header lines are one list (RFC 9110 section 5.3); bytes come as latin1 from node:http. */
function headerOf({ header, header_hex: hex, header_lines: lines }: z.infer<typeof schema>): string {
  return header ?? lines?.join(', ') ?? Buffer.from(hex ?? '', 'hex').toString('latin1');
}

/** Where parsers differ: what this one makes of it, within the case's note. Null is a refusal. */
const POLICY = new Map<string, string | null>([
  ['xfccparser-unknown-key', 'absent certificate_missing'],
  ['xfccparser-bad-dn-2', 'present null'],
  ['rust-needless-escapes', 'present null'],
  ['rust-unknown-key', 'absent certificate_missing'],
  ['rust-invalid-utf8', 'present null'],
  ['csharp-only-comma', null],
  ['tgies-only-end-quote', null],
  ['tgies-pair-without-equals', null],
  ['authtranslator-escaped-uri', 'present null'],
  ['authtranslator-empty-segment', null],
]);

/** Vectors that name nobody, or nobody without doubt. */
const NO_SPIFFE_ID = [
  'test-peer-san-empty',
  'authtranslator-two-uris',
  'authtranslator-no-uri',
  'authtranslator-empty-uri',
  'xfccparser-two',
];

describe.each(['envoy.json', 'parsers-and-reports.json'])('x-forwarded-client-cert: %s', (file) => {
  const reader = createCertificateReader({ entriesMax: 0 }, createBoundedCache);
  const read = (header: string): string => {
    const { signal } = reader.read([{ form: 'xfcc', header }]);
    return signal.status === 'present' ? `present ${signal.value.spiffeId}` : `${signal.status} ${signal.code}`;
  };

  const cases = vectorCases('xfcc', file, schema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (id, one) => {
    const header = headerOf(one);
    const parsed = parseXfcc(header);
    if (one.expect === 'reject') {
      expect(parsed).toBeNull();
      expect(read(header)).toBe('invalid certificate_malformed');
    } else if (one.expect === 'policy') {
      expect(parsed === null ? null : read(header)).toBe(POLICY.get(id));
    } else {
      // keys are compared without case, so ours are lower case
      expect(parsed).toEqual(one.elements?.map((element) => element.map(([key, value]) => [key.toLowerCase(), value])));
      if (NO_SPIFFE_ID.includes(id)) expect(read(header)).not.toMatch(/spiffe:/);
    }
  });
});
