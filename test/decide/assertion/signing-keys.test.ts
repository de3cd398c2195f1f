import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { parseSigningKey } from '../../../src/decide/assertion/signing-key.ts';
import { loadSigningKeys, type SigningKeys } from '../../../src/decide/assertion/signing-keys.ts';
import { readChangedFile } from '../../../src/stores/changed-file.ts';
import { newKey, SILENT } from '../../support/assertion-keys.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-assertion-'));
afterAll(() => rmSync(directory, { recursive: true }));
const running: SigningKeys[] = [];
afterEach(() => {
  for (const keys of running.splice(0)) keys.stop();
});

const kidOf = (pem: string): string => {
  const key = parseSigningKey(pem);
  return 'kid' in key ? key.kid : key.problem;
};
const write = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
};
let nowMs = 0;
async function load(files: Readonly<Record<string, string>>, active: string | null = null): Promise<SigningKeys> {
  const keys = Object.entries(files).map(([id, file]) => ({ id, pem: null, file }));
  const clock = { now: () => 0, monotonic: () => nowMs };
  const loaded = await loadSigningKeys({ keys, active }, { readFile: readChangedFile, clock, logger: SILENT });
  running.push(loaded);
  return loaded;
}
const publishedBy = (keys: SigningKeys): string[] => JSON.parse(keys.published()).keys.map(({ kid }: { kid: string }) => kid);

describe('keys', () => {
  it('have their thumbprint as id, by RFC 7638, and are no others than P-256 and Ed25519', () => {
    const es = parseSigningKey(newKey('ES256').pem);
    if (!('jwk' in es)) throw new Error(es.problem);
    const { crv, kty, x, y } = es.jwk;
    expect(es.kid).toBe(createHash('sha256').update(`{"crv":"${crv}","kty":"${kty}","x":"${x}","y":"${y}"}`).digest('base64url'));
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    for (const pem of [rsa, p384]) expect(parseSigningKey(pem)).toEqual({ problem: 'is no key of P-256 (ES256) or Ed25519 (EdDSA)' });
    for (const text of ['', 'secret', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'])
      expect(parseSigningKey(text)).toEqual({ problem: 'is no private or public key in PEM' });
  });

  it('are all published, and one of them signs; a public key can be published only', async () => {
    const [old, next] = [newKey('ES256'), newKey('EdDSA')];
    const files = { old: write('old.pem', old.pem), next: write('next.pem', next.pem) };
    const before = await load(files);
    expect([before.active().kid, publishedBy(before)]).toEqual([kidOf(old.pem), [kidOf(old.pem), kidOf(next.pem)]]);
    const after = await load(files, 'next');
    expect(after.active().kid).toBe(kidOf(next.pem));
    write('old.pem', old.publicPem);
    const retired = await load(files, 'next');
    expect(publishedBy(retired)).toEqual(publishedBy(before));
    await expect(load(files, 'old')).rejects.toMatchObject({ code: 'config_invalid', field: 'assertion.keys[0]' });
  });

  it('that cannot be had keep the process from starting, by the name of the key', async () => {
    const good = write('good.pem', newKey('EdDSA').pem);
    const text = write('secret.txt', 'the secret words');
    const failure = await load({ good, bad: text }).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'config_invalid', field: 'assertion.keys[1].file' });
    expect(String(failure)).not.toContain('secret words');
    await expect(load({ gone: join(directory, 'gone.pem') })).rejects.toMatchObject({ field: 'assertion.keys[0].file' });
  });
});

describe('a file that changes', () => {
  it('gives its new key at once, and the one before is published for ten minutes more', async () => {
    const [first, second] = [newKey('EdDSA'), newKey('ES256')];
    const keys = await load({ k: write('changing.pem', first.pem) });
    expect(publishedBy(keys)).toEqual([kidOf(first.pem)]);
    write('changing.pem', second.pem);
    await vi.waitFor(() => expect(keys.active().kid).toBe(kidOf(second.pem)), { timeout: 5000 });
    expect(publishedBy(keys)).toEqual([kidOf(second.pem), kidOf(first.pem)]);
    expect(keys.status().map(({ use, algorithm }) => [use, algorithm])).toEqual([
      ['active', 'ES256'],
      ['replaced', 'EdDSA'],
    ]);
    nowMs += 600_001;
    expect(publishedBy(keys)).toEqual([kidOf(second.pem)]);
    expect(keys.status()).toHaveLength(1);
  });

  it('to something else keeps its key and says so, until it is good again', async () => {
    const good = newKey('EdDSA');
    const keys = await load({ k: write('broken.pem', good.pem) });
    write('broken.pem', 'the secret words');
    await vi.waitFor(() => expect(keys.status()[0]?.lastError).toContain('is no private or public key in PEM'), { timeout: 5000 });
    expect(keys.active().kid).toBe(kidOf(good.pem));
    write('broken.pem', good.publicPem);
    // of the same key, which goes on signing
    await vi.waitFor(() => expect(keys.status()[0]?.lastError).toBeNull(), { timeout: 5000 });
    write('broken.pem', newKey('EdDSA').publicPem);
    await vi.waitFor(() => expect(keys.status()[0]?.lastError).toContain('has no private key'), { timeout: 5000 });
    expect(keys.active().kid).toBe(kidOf(good.pem));
    expect(publishedBy(keys)).toEqual([kidOf(good.pem)]);
  });
});
