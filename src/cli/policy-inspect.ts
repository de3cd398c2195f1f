import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { type BundleDiff, diffBundles } from '../authoring/diff-bundles.ts';
import { readSignatures } from '../authoring/sign-bundle.ts';
import type { BundleFacts } from '../authoring/tools.ts';
import { EXIT_FINDINGS, EXIT_OK } from './exit-codes.ts';
import {
  type FolderOptions,
  needPolicyFolder,
  opaOf,
  type PolicyParts,
  readInput,
  runCommand,
  withFolderOptions,
} from './policy-command.ts';

/** A bundle of a file or of standard input (`-`), or compiled from a folder. */
export async function readBundleOrFolder(path: string, options: FolderOptions, parts: PolicyParts): Promise<Uint8Array> {
  const found = path === '-' ? null : await stat(path).catch(() => null);
  if (found?.isDirectory() !== true) return readInput(path, parts.stdin);
  await needPolicyFolder(path);
  return parts.policy.build({ directory: path, opaBin: opaOf(options).opaBin, entrypoint: options.entrypoint });
}

/** Adds `policy inspect` and `policy diff`. */
export function addPolicyInspect(group: Command, parts: PolicyParts, exit: (code: number) => void): void {
  withFolderOptions(
    group
      .command('inspect')
      .description('tell what is in a bundle: revision, rules, entry points, builtins, data, size, signature')
      .argument('<bundle>', 'a bundle, - for standard input, or a folder, which is compiled'),
  ).action((path: string, options: FolderOptions) =>
    runCommand(parts, options.json, exit, async () => {
      const packed = await readBundleOrFolder(path, options, parts);
      const facts = await parts.policy.read(packed);
      const said = describe(facts, packed.byteLength, parts.policy.missingBuiltins(facts.builtins));
      parts.stdout(options.json === true ? `${JSON.stringify({ ok: true, ...said })}\n` : textOf(said));
      return EXIT_OK;
    }),
  );

  withFolderOptions(
    group
      .command('diff')
      .description('tell what is other in one bundle than in another: rules, data, entry points')
      .argument('<before>', 'a bundle or a folder')
      .argument('<after>', 'a bundle or a folder')
      .option('--exit-code', 'end with 1 where they differ'),
  ).action((before: string, after: string, options: FolderOptions & { readonly exitCode?: boolean }) =>
    runCommand(parts, options.json, exit, async () => {
      const [a, b] = [await readBundleOrFolder(before, options, parts), await readBundleOrFolder(after, options, parts)];
      const diff = diffBundles(await parts.policy.read(a), await parts.policy.read(b), parts.policy.digestOf);
      const { dataLeftOut, ...shown } = diff;
      parts.stdout(options.json === true ? `${JSON.stringify({ ok: true, ...shown, data_left_out: dataLeftOut })}\n` : diffText(diff));
      return options.exitCode === true && !diff.same ? EXIT_FINDINGS : EXIT_OK;
    }),
  );
}

function describe(facts: BundleFacts, packedBytes: number, missing: readonly string[]) {
  const signatures = readSignatures(facts.files);
  return {
    revision: facts.revision,
    roots: facts.roots,
    metadata: facts.metadata,
    entrypoints: facts.entrypoints,
    rules: Object.entries(facts.rules ?? {}).map(([code, rule]) => ({ code, ...rule })),
    builtins: facts.builtins,
    builtins_missing: missing,
    data_roots: dataRoots(facts.data),
    input_paths: facts.inputPaths,
    files: facts.files.size,
    packed_bytes: packedBytes,
    bytes: [...facts.files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    wasm_bytes: [...facts.files].reduce((sum, [path, { byteLength }]) => sum + (path.endsWith('.wasm') ? byteLength : 0), 0),
    signatures: signatures?.map(({ algorithm, keyId, scope, files }) => ({ algorithm, key_id: keyId, scope, files })) ?? [],
  };
}

/** Two names deep, as pushable roots are. */
function dataRoots(data: BundleFacts['data']): string[] {
  return Object.entries(data)
    .flatMap(([name, below]) => (typeof below === 'object' && below !== null ? Object.keys(below).map((one) => `${name}.${one}`) : [name]))
    .sort();
}

function textOf(said: ReturnType<typeof describe>): string {
  const signed = said.signatures.map(
    ({ algorithm, key_id, scope, files }) => `${algorithm} by ${key_id ?? '-'}, scope ${scope ?? '-'}, ${files} files`,
  );
  const rows: readonly (readonly [string, string])[] = [
    ['revision', said.revision || '-'],
    ['roots', said.roots.join(' ')],
    ['entry points', said.entrypoints.join(' ')],
    ['builtins', said.builtins.join(' ') || '-'],
    ['not there', said.builtins_missing.join('; ') || '-'],
    ['data', said.data_roots.join(' ') || '-'],
    ['input paths', said.input_paths === null ? 'not known' : String(said.input_paths)],
    ['size', `${said.packed_bytes} bytes packed, ${said.bytes} in ${said.files} files, Wasm ${said.wasm_bytes}`],
    ['signature', signed.join('; ') || 'none'],
    ['rules', said.rules.length === 0 ? 'no METADATA in it' : String(said.rules.length)],
  ];
  const rules = said.rules.map(({ code, title, status }) => `  ${code}${status === null ? '' : ` (${status})`}: ${title ?? '-'}`);
  return `${[...rows.map(([name, value]) => `${name.padEnd(14)}${value}`), ...rules].join('\n')}\n`;
}

function diffText(diff: BundleDiff): string {
  const lines = [`revision ${diff.revision.before} → ${diff.revision.after}`];
  for (const [kind, changes] of Object.entries({
    rule: diff.rules,
    module: diff.modules,
    'entry point': { ...diff.entrypoints, changed: [] },
    root: { ...diff.roots, changed: [] },
    builtin: { ...diff.builtins, changed: [] },
  })) {
    for (const name of changes.added) lines.push(`+ ${kind} ${name}`);
    for (const name of changes.removed) lines.push(`- ${kind} ${name}`);
    for (const name of changes.changed) lines.push(`~ ${kind} ${name}`);
  }
  for (const { path, before, after } of diff.data) {
    if (before === undefined) lines.push(`+ data ${path} = ${JSON.stringify(after)}`);
    else if (after === undefined) lines.push(`- data ${path} = ${JSON.stringify(before)}`);
    else lines.push(`~ data ${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
  }
  if (diff.dataLeftOut > 0) lines.push(`… and ${diff.dataLeftOut} more changes of the data`);
  if (diff.same) lines.push('the same rules and data');
  return `${lines.join('\n')}\n`;
}
