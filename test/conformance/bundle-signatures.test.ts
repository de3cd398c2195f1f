import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isSigned, SIGNING_ALGORITHMS, type SigningKeys, verifyToken } from '../../src/decide/signing/signatures.ts';
import { vectorCases } from '../support/vectors.ts';

const keySchema = z.object({ key: z.string(), algorithm: z.enum(SIGNING_ALGORITHMS) });
const tokenSchema = z.object({
  id: z.string(),
  signatures: z.array(z.string()),
  keys: z.record(z.string(), z.object({ key: z.string(), algorithm: z.string() })),
  key_id: z.string().optional(),
  scope: z.string().optional(),
  expect: z.enum(['accept', 'reject']),
  files: z.int().optional(),
});

/** How many files a signature lists; null where it is refused, or where the configuration already is. */
function filesOf({ signatures, keys, key_id: keyId, scope }: z.infer<typeof tokenSchema>): number | null {
  const known = z.record(z.string(), keySchema).safeParse(keys);
  const [token, more] = signatures;
  if (!known.success || token === undefined || more !== undefined) return null;
  const signing: SigningKeys = { keys: known.data, keyId: keyId ?? null, scope: scope ?? null };
  try {
    return verifyToken(token, signing).length;
  } catch (error) {
    expect(error).toMatchObject({ code: 'bundle_signature_invalid' });
    return null;
  }
}

describe('signatures of bundles', () => {
  const cases = vectorCases('opa-bundle-signatures', 'signature-config.json', tokenSchema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, one) => {
    const files = filesOf(one);
    expect(files !== null).toBe(one.expect === 'accept');
    if (one.files !== undefined) expect(files).toBe(one.files);
  });
});

const digestSchema = z.object({
  id: z.string(),
  path: z.string(),
  content: z.string(),
  signed: z.record(z.string(), z.object({ hash: z.string(), algorithm: z.string() })),
  expect: z.enum(['accept', 'reject']),
  right_md5: z.string().optional(),
});

describe('digests of files', () => {
  const cases = vectorCases('opa-bundle-signatures', 'file-digests.json', digestSchema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, { path, content, signed, expect: wanted, right_md5: md5 }) => {
    const entry = signed[path];
    expect(entry !== undefined && isSigned(path, Buffer.from(content), entry)).toBe(wanted === 'accept');
    if (md5 !== undefined) expect(isSigned(path, Buffer.from(content), { hash: md5, algorithm: 'MD5' })).toBe(true);
    // what is hashed is never the bytes of a structured document
    if (wanted === 'accept') expect(entry?.hash).not.toBe(createHash('sha256').update(content).digest('hex'));
  });
});
