import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyFiles, signedBundle, withManifest } from '../signed-bundles.ts';
import { bundleOf, createRollout } from './world.ts';

/* A candidate decides for callers: what protects the policy protects it too. */

const directory = mkdtempSync(join(tmpdir(), 'countersign-signed-candidate-'));
afterAll(() => rmSync(directory, { recursive: true }));
const { privateFile, publicFile } = keyFiles(directory, 'ES256');
const signing = { keys: { release: { algorithm: 'ES256' as const, keyFile: publicFile } }, keyId: 'release', scope: null };

let plain: Uint8Array;
let active: Uint8Array;
const signed = async (revision: string, sequence: number) =>
  signedBundle(await withManifest(plain, { revision }, { sequence }), { privateFile, algorithm: 'ES256', keyId: 'release' });
beforeAll(async () => {
  plain = await bundleOf('c0', 'decision := {"effect": "deny", "reasons": ["a.closed"]}');
  const open = await bundleOf('a7', 'decision := {"effect": "allow"}');
  active = await signedBundle(await withManifest(open, {}, { sequence: 7 }), { privateFile, algorithm: 'ES256', keyId: 'release' });
});

const sideWith = async (candidate: Uint8Array) => {
  const world = await createRollout({ active, candidate, signing, canary: { percent: 100 } });
  try {
    return { revision: (await world.ask('/1', { client: 'agent-a' })).policy.revision, candidate: world.set.status()[0]?.candidate };
  } finally {
    world.stop();
  }
};

describe('a candidate where bundles are signed', () => {
  it('that is not signed decides nothing', async () => {
    expect(await sideWith(plain)).toMatchObject({
      revision: 'a7',
      candidate: { state: 'not_loaded', lastError: { code: 'bundle_unsigned' } },
    });
  });

  it('that is signed decides', async () => {
    expect(await sideWith(await signed('c8', 8))).toMatchObject({ revision: 'c8', candidate: { state: 'ready' } });
  });

  it('that is older than the active one decides nothing, although it is signed', async () => {
    expect(await sideWith(await signed('c6', 6))).toMatchObject({ revision: 'a7', candidate: { state: 'resting', revision: 'c6' } });
  });
});
