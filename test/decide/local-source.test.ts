import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { copyWith } from './bundles.ts';
import { baseBundle, createTestPolicies, policyOptions } from './fixtures.ts';
import { withManifest } from './signed-bundles.ts';

let [r1, r2]: readonly Uint8Array[] = [];
beforeAll(async () => {
  const base = await baseBundle();
  [r1, r2] = await Promise.all(['r1', 'r2'].map((revision) => withManifest(base, { revision })));
});
const bundle = (which: Uint8Array | undefined): Uint8Array => which ?? new Uint8Array();

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-local-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function following(path: string) {
  const set = createTestPolicies({ policies: { default: policyOptions({ bundle: path }) } });
  onTestFinished(() => set.stop());
  await set.load();
  return {
    set,
    status: () => set.status()[0],
    until: (wanted: object) => vi.waitFor(() => expect(set.status()[0]).toMatchObject(wanted), { timeout: 30_000, interval: 50 }),
  };
}

describe('a file', () => {
  it('that is renamed over becomes active; half of one leaves the old policy, and says so [asks 48, 54]', async () => {
    const file = join(scratch(), 'policy.tar.gz');
    writeFileSync(file, bundle(r1));
    const { until } = await following(file);
    await until({ revision: 'r1', runningOn: 'source' });
    writeFileSync(`${file}.new`, bundle(r2));
    renameSync(`${file}.new`, file);
    await until({ revision: 'r2' });
    writeFileSync(file, bundle(r1).subarray(0, 5000));
    await until({ revision: 'r2', runningOn: 'last_known_good', lastError: { code: 'bundle_unreadable' } });
    rmSync(file);
    await until({ revision: 'r2', runningOn: 'last_known_good', lastError: { text: expect.stringMatching(/^policy\.tar\.gz: /) } });
    writeFileSync(file, bundle(r1));
    await until({ revision: 'r1', runningOn: 'source', lastError: null });
  }, 60_000);

  it('of 200 MB is refused by its size, without being read', async () => {
    const file = join(scratch(), 'policy.tar.gz');
    writeFileSync(file, bundle(r1));
    const { until } = await following(file);
    truncateSync(file, 200 << 20);
    await until({ revision: 'r1', lastError: { code: 'bundle_too_large' } });
  }, 60_000);

  it('on a ConfigMap is followed over the swap of its link [asks 56]', async () => {
    const mount = scratch();
    const publish = (name: string, content: Uint8Array): void => {
      mkdirSync(join(mount, name));
      writeFileSync(join(mount, name, 'policy.tar.gz'), content);
      symlinkSync(name, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    publish('..2026_01', bundle(r1));
    symlinkSync(join('..data', 'policy.tar.gz'), join(mount, 'policy.tar.gz'));
    const { until } = await following(join(mount, 'policy.tar.gz'));
    await until({ revision: 'r1' });
    publish('..2026_02', bundle(r2));
    await until({ revision: 'r2' });
  }, 60_000);
});

describe('a folder', () => {
  it('with a new subfolder, then a changed file, then one that does not compile [asks 56]', async () => {
    const directory = copyWith({});
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const { status, until } = await following(directory);
    const rules = status()?.rules ?? 0;
    const first = status()?.revision;
    const rule = join(directory, 'countersign', 'rules', 'fresh');
    mkdirSync(rule);
    const write = (text: string): void => writeFileSync(join(rule, 'one.rego'), `package countersign.rules.fresh.one\n\n${text}\n`);
    write('verdict := "clear" if input.request');
    await until({ rules: rules + 1, lastError: null });
    const second = status()?.revision;
    expect(second).not.toBe(first);
    write('verdict := "clear" if input.version');
    await vi.waitFor(() => expect(status()?.revision).not.toBe(second), { timeout: 30_000, interval: 50 });
    const third = status()?.revision;
    write('verdict := b');
    await until({
      revision: third,
      runningOn: 'last_known_good',
      lastError: { code: 'policy_compile_failed', text: expect.stringMatching(/one\.rego/) },
    });
    write('verdict := "clear" if input.request');
    await until({ revision: second, lastError: null });
  }, 120_000);

  it('on a ConfigMap: its own folders count for nothing, and the swap of its link is seen', async () => {
    const mount = scratch();
    const source = copyWith({});
    onTestFinished(() => rmSync(source, { recursive: true }));
    const publish = (name: string, text: string): void => {
      cpSync(source, join(mount, name), { recursive: true });
      writeFileSync(join(mount, name, 'countersign', 'extra.rego'), text);
      symlinkSync(name, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    publish('..2026_01', 'package countersign.rules.fresh.one\n\nverdict := "clear" if input.request\n');
    for (const name of readdirSync(source)) symlinkSync(join('..data', name), join(mount, name));
    const { status, until } = await following(mount);
    await until({ state: 'active', lastError: null });
    const first = status()?.revision;
    publish('..2026_02', 'package countersign.rules.fresh.one\n\nverdict := "clear" if input.version\n');
    await vi.waitFor(() => expect(status()?.revision).not.toBe(first), { timeout: 30_000, interval: 50 });
  }, 120_000);
});
