import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PolicyOptions } from '../../src/decide/options.ts';
import { hashFile } from '../../src/decide/signing/canonical-hash.ts';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../src/decide/signing/signatures.ts';
import { editBundle } from './bundles.ts';
import { baseBundle, createTestPolicies, ENTRYPOINT, opa, POLICIES, policyOptions } from './fixtures.ts';
import { keyFiles, signedBundle, withManifest } from './signed-bundles.ts';

const scratch = mkdtempSync(join(tmpdir(), 'countersign-signing-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let base: Uint8Array;
let signed: Uint8Array;
const es = keyFiles(mkdtempSync(join(scratch, 'release-')), 'ES256');
beforeAll(async () => {
  base = await baseBundle();
  signed = await signedBundle(base, { privateFile: es.privateFile, algorithm: 'ES256', keyId: 'release', scope: 'production' });
});

const signing = (more: Partial<NonNullable<PolicyOptions['signing']>> = {}): PolicyOptions['signing'] => ({
  keys: { release: { algorithm: 'ES256', keyFile: es.publicFile } },
  keyId: null,
  scope: 'production',
  ...more,
});

const setWith = (options: PolicyOptions['signing']) => createTestPolicies({ policies: { default: policyOptions({ signing: options }) } });
const activate = (bundle: Uint8Array, options: PolicyOptions['signing'] = signing()) => setWith(options).activate('default', bundle);

describe('bundles that the real `opa sign` signed', () => {
  it.each(SIGNING_ALGORITHMS)('%s', async (algorithm: SigningAlgorithm) => {
    const { privateFile, publicFile } = keyFiles(scratch, algorithm);
    const bundle = await signedBundle(base, { privateFile, algorithm, keyId: 'one' });
    const options = { keys: { one: { algorithm, keyFile: publicFile } }, keyId: null, scope: null };
    await expect(activate(bundle, options)).resolves.toMatchObject({ name: 'default' });
  });

  it('and `opa build --signing-key`', async () => {
    const { privateFile, publicFile } = keyFiles(scratch, 'RS256');
    const file = join(scratch, 'built.tar.gz');
    opa(
      ['build', '-b', '.', '-t', 'wasm', '-o', file, '--ignore', '*_test.rego', '-e', ENTRYPOINT, '--signing-key', privateFile],
      POLICIES,
    );
    const options = { keys: { one: { algorithm: 'RS256' as const, keyFile: publicFile } }, keyId: 'one', scope: null };
    await expect(activate(readFileSync(file), options)).resolves.toMatchObject({ name: 'default' });
  });
});

describe('what is refused', () => {
  it('an unsigned bundle where a key is configured', async () => {
    await expect(activate(base)).rejects.toMatchObject({ code: 'bundle_unsigned' });
  });

  it('a signed bundle where none is', async () => {
    await expect(activate(signed, null)).rejects.toMatchObject({ code: 'bundle_signed' });
  });

  const edited = (edit: (files: Map<string, Uint8Array | string>) => void) => () => editBundle(signed, edit);
  it.each([
    ['a file that is another one', edited((files) => files.set('data.json', '{}')), /data\.json is another/],
    ['a file that is not signed', edited((files) => files.set('more.rego', 'package more')), /more\.rego is not signed/],
    ['a file that is missing', edited((files) => files.delete('data.json')), /data\.json is not there/],
    ['the manifest', () => withManifest(signed, { revision: 'r9' }), /\.manifest is another/],
    ['signatures that are none', edited((files) => files.set('.signatures.json', '{"signatures":[]}')), /one signature/],
    ['two signatures', edited((files) => files.set('.signatures.json', '{"signatures":["a.b.c","a.b.c"]}')), /one signature/],
    ['a plugin that verifies', edited((files) => files.set('.signatures.json', '{"signatures":["a.b.c"],"plugin":"x"}')), /one signature/],
    ['no JSON', edited((files) => files.set('.signatures.json', '{')), /not JSON/],
  ])('%s', async (_name, bundle, message) => {
    await expect(activate(await bundle())).rejects.toMatchObject({
      code: 'bundle_signature_invalid',
      message: expect.stringMatching(message),
    });
  });

  it('whitespace in a structured file is no change', async () => {
    const bundle = await editBundle(signed, (files) => {
      const data: unknown = JSON.parse(Buffer.from(files.get('data.json') ?? '').toString());
      files.set('data.json', JSON.stringify(data, null, 3));
    });
    await expect(activate(bundle)).resolves.toMatchObject({ name: 'default' });
  });

  it.each([
    ['another scope', signing({ scope: 'staging' }), /scope/],
    ['a scope where none is wanted', signing({ scope: null }), /scope/],
    ['a key that is not known', signing({ keys: { other: { algorithm: 'ES256', keyFile: es.publicFile } } }), /key is not known/],
    ['another algorithm than that of the key', signing({ keys: { release: { algorithm: 'ES384', keyFile: es.publicFile } } }), /algorithm/],
    ['the public key as a secret', signing({ keys: { release: { algorithm: 'HS256', keyFile: es.publicFile } } }), /algorithm/],
    ['a key file that is not there', signing({ keys: { release: { algorithm: 'ES256', keyFile: join(scratch, 'none') } } }), /release/],
    ['a key file that is none', signing({ keys: { release: { algorithm: 'ES256', keyFile: import.meta.filename } } }), /no PEM/],
  ])('%s', async (_name, options, message) => {
    await expect(activate(signed, options)).rejects.toMatchObject({
      code: 'bundle_signature_invalid',
      message: expect.stringMatching(message),
    });
  });

  it('the algorithm none', async () => {
    const bundle = await editBundle(signed, (files) => {
      const token = Buffer.from(files.get('.signatures.json') ?? '').toString();
      const body = token.split('.')[1] ?? '';
      const head = Buffer.from('{"alg":"none","kid":"release"}').toString('base64url');
      files.set('.signatures.json', JSON.stringify({ signatures: [`${head}.${body}.AA`] }));
    });
    await expect(activate(bundle)).rejects.toMatchObject({ code: 'bundle_signature_invalid' });
  });

  it('another key under the same id', async () => {
    const { privateFile } = keyFiles(mkdtempSync(join(scratch, 'other-')), 'ES256');
    const bundle = await signedBundle(base, { privateFile, algorithm: 'ES256', keyId: 'release', scope: 'production' });
    await expect(activate(bundle)).rejects.toMatchObject({ code: 'bundle_signature_invalid' });
  });
});

describe('the sequence of signed bundles', () => {
  const sign = (bundle: Uint8Array) =>
    signedBundle(bundle, { privateFile: es.privateFile, algorithm: 'ES256', keyId: 'release', scope: 'production' });
  const numbered = async (revision: string, sequence?: number) =>
    sign(await withManifest(base, { revision }, sequence === undefined ? {} : { sequence }));

  it('never falls, but by a rollback', async () => {
    const set = setWith(signing());
    const [one, two, none] = await Promise.all([numbered('r1', 1), numbered('r2', 2), numbered('r0')]);
    await set.activate('default', one);
    await set.activate('default', two);
    await expect(set.activate('default', one)).rejects.toMatchObject({ code: 'bundle_sequence_behind' });
    await expect(set.activate('default', none)).rejects.toMatchObject({ code: 'bundle_sequence_behind' });
    expect(set.status()).toMatchObject([{ revision: 'r2', sequence: 2, lastError: { code: 'bundle_sequence_behind', revision: 'r0' } }]);
    await expect(set.rollback('default', 'r1')).resolves.toMatchObject({ revision: 'r1' });
    expect(set.status()).toMatchObject([{ revision: 'r1', sequence: 1, lastError: null }]);
    await expect(set.activate('default', two)).resolves.toMatchObject({ revision: 'r2' });
  });

  it('of unsigned bundles means nothing: anybody could write it', async () => {
    const set = setWith(null);
    await set.activate('default', await withManifest(base, { revision: 'r2' }, { sequence: 2 }));
    await expect(set.activate('default', await withManifest(base, { revision: 'r1' }, { sequence: 1 }))).resolves.toMatchObject({
      revision: 'r1',
    });
  });
});

describe('how OPA hashes', () => {
  it.each([
    ['numbers as they are written', '{"a":1.0,"b":1e3,"c":9007199254740993}', '{"c":9007199254740993,"b":1e3,"a":1.0}'],
    ['names by their bytes', '{"\u{1f600}":1,"\uffee":2,"z":3}', '{"z":3,"\u{1f600}":1,"\uffee":2}'],
    ['the two line ends of JavaScript', '{"a":"\u2028<&>"}', '{ "a" : "\\u2028<&>" }'],
  ])('%s', (_name, a, b) => {
    expect(hashFile('data.json', Buffer.from(a), 'SHA-256')).toBe(hashFile('x/data.json', Buffer.from(b), 'SHA-256'));
  });

  it('other numbers are other documents', () => {
    expect(hashFile('data.json', Buffer.from('{"a":1}'), 'SHA-256')).not.toBe(hashFile('data.json', Buffer.from('{"a":1.0}'), 'SHA-256'));
  });

  it('the same as `opa sign`, in a document of everything that is odd', async () => {
    const odd = `{"a":[1.0,1e3,-0,0.1e-5,9007199254740993,true,null],"\u{1f600}":"\u{1f600}","\uffee":"\u2028\u2029\u007f\\u0001\\b\\f<&>","__proto__":{"x":1}}`;
    const bundle = await signedBundle(await editBundle(base, (files) => files.set('tenants/odd/data.json', odd)), {
      privateFile: es.privateFile,
      algorithm: 'ES256',
      keyId: 'release',
      scope: 'production',
    });
    await expect(activate(bundle)).resolves.toMatchObject({ name: 'default' });
  });
});
