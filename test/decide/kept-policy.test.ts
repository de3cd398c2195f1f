import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createKeptPolicy } from '../../src/decide/kept-policy.ts';
import type { PolicyOptions } from '../../src/decide/options.ts';
import { createPolicies } from '../../src/decide/policies.ts';
import type { BundleSource } from '../../src/decide/source/source.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import { createStateFolder } from '../../src/stores/state-folder.ts';
import { baseBundle, CLOCK, decideOptions, policyOptions, SILENT } from './fixtures.ts';
import { keyFiles, signedBundle, withManifest } from './signed-bundles.ts';

let bundles: Readonly<Record<string, Uint8Array>> = {};
beforeAll(async () => {
  const base = await baseBundle();
  const made = await Promise.all(['r1', 'r2', 'r3'].map(async (revision) => [revision, await withManifest(base, { revision })] as const));
  bundles = Object.fromEntries(made);
});

/** A source that a test sets: a bundle, or what is thrown. */
type Settable = { now: Uint8Array | Error };

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-kept-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'state');
}

/** One run of the process over a folder. */
async function run(directory: string, source: Settable, policy: Partial<PolicyOptions> = {}, clock = CLOCK) {
  const openSource = (): BundleSource => ({
    name: 'settable',
    firstWaitMs: null,
    async read(known) {
      if (source.now instanceof Error) throw source.now;
      const version = createHash('sha256').update(source.now).digest('hex');
      return version === known ? null : { packed: source.now, version };
    },
    delayMs: () => 20,
  });
  const set = createPolicies(decideOptions({ policies: { default: policyOptions(policy) } }), {
    clock,
    logger: SILENT,
    readFile: readDocumentFile,
    openSource,
    openKept: () => createKeptPolicy(createStateFolder(directory)),
  });
  onTestFinished(async () => {
    set.stop();
    // in its turn: what is still being written is there then, and the folder can be removed
    await set.rollback('default', 'none').catch(() => undefined);
  });
  await set.load();
  return {
    set,
    status: () => set.status()[0],
    until: (wanted: object) => vi.waitFor(() => expect(set.status()[0]).toMatchObject(wanted), { timeout: 10_000, interval: 20 }),
  };
}

const bundle = (name: string): Uint8Array => bundles[name] ?? new Uint8Array();
const AWAY = new Error('away');

describe('over a restart', () => {
  it('the last known good one serves while the source is away [asks 54], and can be rolled back', async () => {
    const directory = scratch();
    const first = await run(directory, { now: bundle('r1') });
    await first.set.activate('default', bundle('r2'));
    first.set.stop();
    const source: Settable = { now: AWAY };
    const second = await run(directory, source, {}, { ...CLOCK, now: () => CLOCK.now() + 60_000 });
    expect(second.status()).toMatchObject({
      state: 'active',
      revision: 'r2',
      runningOn: 'activated',
      ageSeconds: 60,
      activatedAt: CLOCK.now() / 1000,
      lastError: { text: expect.stringMatching(/^settable: /) },
    });
    await expect(second.set.rollback('default', null)).resolves.toMatchObject({ revision: 'r1' });
    source.now = bundle('r3');
    await second.until({ revision: 'r3', runningOn: 'source', lastError: null });
  });

  it('is too old by when its source last confirmed it, not by the restart, and not by when it came', async () => {
    const directory = scratch();
    let nowMs = CLOCK.now();
    const clock = { ...CLOCK, now: () => nowMs };
    const first = await run(directory, { now: bundle('r1') }, { ageMax: 300 }, clock);
    nowMs += 1000_000;
    await first.until({ ageSeconds: 0, tooOld: false });
    // the time of the confirmation is written
    const index = join(directory, readdirSync(directory).find((name) => name.endsWith('.json')) ?? '');
    await vi.waitFor(() => expect(JSON.parse(readFileSync(index, 'utf8'))).toMatchObject({ confirmed_at: nowMs / 1000 }), 5000);
    first.set.stop();
    nowMs += 299_000;
    const second = await run(directory, { now: AWAY }, { ageMax: 300 }, clock);
    expect(second.status()).toMatchObject({ state: 'active', runningOn: 'last_known_good', ageSeconds: 299, tooOld: false });
    second.set.stop();
    nowMs += 2000;
    const third = await run(directory, { now: AWAY }, { ageMax: 300 }, clock);
    expect(third.status()).toMatchObject({ state: 'active', runningOn: 'last_known_good', ageSeconds: 301, tooOld: true });
  });

  it('what was rolled back is not taken again, and what is new is', async () => {
    const directory = scratch();
    const source: Settable = { now: bundle('r1') };
    const first = await run(directory, source);
    source.now = bundle('r2');
    await first.until({ revision: 'r2' });
    await first.set.rollback('default', null);
    expect(first.status()).toMatchObject({ revision: 'r1', runningOn: 'rolled_back', expectedRevision: 'r2' });
    first.set.stop();
    const second = await run(directory, source);
    expect(second.status()).toMatchObject({ revision: 'r1', runningOn: 'rolled_back', expectedRevision: 'r2', lastError: null });
    source.now = bundle('r3');
    await second.until({ revision: 'r3', runningOn: 'source' });
  });

  it('the same bundle is not prepared twice', async () => {
    const directory = scratch();
    (await run(directory, { now: bundle('r1') })).set.stop();
    const { set, status } = await run(directory, { now: bundle('r1') });
    expect(status()).toMatchObject({ revision: 'r1', runningOn: 'source', lastError: null });
    expect(set.revisions('default')).toHaveLength(1);
  });

  it('only the files of the last five are left', async () => {
    const directory = scratch();
    const { set } = await run(directory, { now: AWAY });
    const base = bundle('r1');
    for (let index = 0; index < 7; index++) await set.activate('default', await withManifest(base, { revision: `n${index}` }));
    expect(readdirSync(directory)).toHaveLength(6);
    set.stop();
    const second = await run(directory, { now: AWAY });
    expect(second.set.revisions('default').map(({ revision }) => revision)).toEqual(['n6', 'n5', 'n4', 'n3', 'n2']);
  });
});

describe('[asks 55] a folder that is damaged', () => {
  const damage: readonly (readonly [string, (directory: string) => void, RegExp])[] = [
    [
      'half a bundle',
      (directory) => writeFileSync(join(directory, tarIn(directory)), bundle('r1').subarray(0, 100)),
      /tar\.gz \(damaged\)/,
    ],
    ['no bundle', (directory) => rmSync(join(directory, tarIn(directory))), /tar\.gz \(missing\)/],
    ['an index that is none', (directory) => writeFileSync(join(directory, 'policy.json'), '{'), /policy\.json/],
    [
      'an index of a later form',
      (directory) => {
        const index = readFileSync(join(directory, 'policy.json'), 'utf8').replace('"version":1', '"version":2');
        writeFileSync(join(directory, 'policy.json'), index);
      },
      /policy\.json/,
    ],
    [
      'a path in the index',
      (directory) => {
        const index = readFileSync(join(directory, 'policy.json'), 'utf8').replace(
          /"digest":"[0-9a-f]{64}"/,
          '"digest":"../../etc/passwd"',
        );
        writeFileSync(join(directory, 'policy.json'), index);
      },
      /policy\.json/,
    ],
  ];
  it.each(damage)('%s: it starts, is not ready, names the file, and recovers', async (_name, spoil, text) => {
    const directory = scratch();
    (await run(directory, { now: bundle('r1') })).set.stop();
    spoil(directory);
    // with nothing but the folder
    const alone = createPolicies(decideOptions({ policies: { default: policyOptions() } }), {
      clock: CLOCK,
      logger: SILENT,
      openKept: () => createKeptPolicy(createStateFolder(directory)),
    });
    await alone.load();
    expect(alone.status()[0]).toMatchObject({
      state: 'not_loaded',
      revision: null,
      lastError: { code: 'state_invalid', text: expect.stringMatching(text) },
    });
    const source: Settable = { now: AWAY };
    const { status, until } = await run(directory, source);
    expect(status()).toMatchObject({ state: 'not_loaded' });
    source.now = bundle('r2');
    await until({ state: 'active', revision: 'r2', lastError: null });
  });

  it('an older revision that is damaged can only not be gone back to', async () => {
    const directory = scratch();
    const first = await run(directory, { now: bundle('r1') });
    const old = tarIn(directory);
    await first.set.activate('default', bundle('r2'));
    first.set.stop();
    writeFileSync(join(directory, old), 'x');
    const second = await run(directory, { now: AWAY });
    expect(second.set.revisions('default').map(({ revision }) => revision)).toEqual(['r2']);
  });

  it('one that cannot be written to leaves the policy active', async () => {
    const directory = scratch();
    writeFileSync(directory, 'a file, not a folder');
    const { status } = await run(directory, { now: bundle('r1') });
    expect(status()).toMatchObject({ state: 'active', revision: 'r1' });
  });
});

describe('signed bundles', () => {
  it('what an unsigned one said of its sequence means nothing to them', async () => {
    const directory = scratch();
    const keys = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
    onTestFinished(() => rmSync(keys, { recursive: true }));
    const { privateFile, publicFile } = keyFiles(keys, 'ES256');
    (await run(directory, { now: await withManifest(bundle('r1'), { revision: 'u9' }, { sequence: 9 }) })).set.stop();
    const signing: PolicyOptions['signing'] = { keys: { k: { algorithm: 'ES256', keyFile: publicFile } }, keyId: null, scope: null };
    const signed = signedBundle(await withManifest(bundle('r1'), { revision: 's1' }, { sequence: 1 }), {
      privateFile,
      algorithm: 'ES256',
      keyId: 'k',
    });
    const { status } = await run(directory, { now: await signed }, { signing });
    expect(status()).toMatchObject({ revision: 's1', sequence: 1, lastError: null });
  });

  it('after a rollback the source gets no older one in than it had, over a restart either', async () => {
    const directory = scratch();
    const keys = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
    onTestFinished(() => rmSync(keys, { recursive: true }));
    const { privateFile, publicFile } = keyFiles(keys, 'ES256');
    const sign = async (revision: string, sequence: number) =>
      signedBundle(await withManifest(bundle('r1'), { revision }, { sequence }), { privateFile, algorithm: 'ES256', keyId: 'k' });
    const signing: PolicyOptions['signing'] = { keys: { k: { algorithm: 'ES256', keyFile: publicFile } }, keyId: null, scope: null };
    const source: Settable = { now: await sign('s1', 1) };
    const first = await run(directory, source, { signing });
    source.now = await sign('s3', 3);
    await first.until({ revision: 's3' });
    await first.set.rollback('default', null);
    source.now = await sign('s2', 2);
    const behind = { revision: 's1', runningOn: 'rolled_back', lastError: { code: 'bundle_sequence_behind' } };
    await first.until(behind);
    first.set.stop();
    const second = await run(directory, source, { signing });
    expect(second.status()).toMatchObject(behind);
    source.now = await sign('s4', 4);
    await second.until({ revision: 's4', runningOn: 'source', lastError: null });
  });

  it('are verified again, and a sequence holds over a restart', async () => {
    const directory = scratch();
    const keys = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
    onTestFinished(() => rmSync(keys, { recursive: true }));
    const { privateFile, publicFile } = keyFiles(keys, 'ES256');
    const sign = async (revision: string, sequence: number) =>
      signedBundle(await withManifest(bundle('r1'), { revision }, { sequence }), { privateFile, algorithm: 'ES256', keyId: 'k' });
    const signing: PolicyOptions['signing'] = { keys: { k: { algorithm: 'ES256', keyFile: publicFile } }, keyId: null, scope: null };
    const [older, newer] = [await sign('s1', 1), await sign('s2', 2)];
    (await run(directory, { now: newer }, { signing })).set.stop();
    const second = await run(directory, { now: older }, { signing });
    expect(second.status()).toMatchObject({
      revision: 's2',
      runningOn: 'last_known_good',
      lastError: { code: 'bundle_sequence_behind', revision: 's1' },
    });
    second.set.stop();
    keyFiles(keys, 'ES256');
    const third = await run(directory, { now: older }, { signing });
    expect(third.status()).toMatchObject({ state: 'not_loaded', lastError: { code: 'bundle_signature_invalid' } });
  });
});

function tarIn(directory: string): string {
  return readdirSync(directory).find((name) => name.endsWith('.tar.gz')) ?? '';
}
