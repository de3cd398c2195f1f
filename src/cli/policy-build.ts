import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { caseFindings } from '../authoring/check-policy.ts';
import { changeManifest, SIGNING_ALGORITHMS, type SigningAlgorithm, signBundle } from '../authoring/sign-bundle.ts';
import { EXIT_DATA, EXIT_OK, EXIT_WRITE } from './exit-codes.ts';
import {
  CommandEnd,
  codeOf,
  type FolderOptions,
  needPolicyFolder,
  opaOf,
  type PolicyParts,
  readInput,
  runCommand,
  showFindings,
  withFolderOptions,
} from './policy-command.ts';

type BuildOptions = FolderOptions & {
  readonly out: string;
  readonly revision?: string;
  readonly sequence?: number;
  readonly signingKey?: string;
  readonly signingAlg: SigningAlgorithm;
  readonly keyId: string;
  readonly scope?: string;
};

/** Adds `policy build`. */
export function addPolicyBuild(group: Command, parts: PolicyParts, exit: (code: number) => void): void {
  withFolderOptions(
    group
      .command('build')
      .description('compile a folder to a bundle: the same sources give the same bytes')
      .argument('<folder>', 'the folder of the policy, with its .manifest')
      .requiredOption('-o, --out <file>', 'the bundle to write')
      .option('--revision <text>', 'its revision; otherwise that of the .manifest, otherwise a hash of everything in it', revisionOf)
      .option('--sequence <number>', 'a number in the manifest that may only rise from one signed bundle to the next', sequenceOf)
      .option('--signing-key <file>', 'sign it: PEM with a private key, or the secret of HS256, HS384, HS512')
      .addOption(new Option('--signing-alg <name>', 'algorithm of the signature').choices(SIGNING_ALGORITHMS).default('RS256'))
      .option('--key-id <id>', 'what those who verify it call the key', 'default')
      .option('--scope <text>', 'scope of the signature; those who verify it must expect the same'),
  ).action((directory: string, options: BuildOptions) => runCommand(parts, options.json, exit, () => build(directory, options, parts)));
}

async function build(directory: string, options: BuildOptions, parts: PolicyParts): Promise<number> {
  const { policy: tools, stdout } = parts;
  await needPolicyFolder(directory);
  if (options.signingKey !== undefined) await readInput(options.signingKey, parts.stdin);
  const { opa, opaBin } = opaOf(options);
  const compiled = await tools.build({ directory, opaBin, entrypoint: options.entrypoint });
  const named = await changeManifest(compiled, { revision: options.revision ?? null, sequence: options.sequence ?? null }, tools);
  // nothing is shipped that no service would take
  const failed = await caseFindings(directory, await tools.load(named, options.entrypoint));
  if (failed.length > 0) return showFindings(parts, options.json, failed, {}, 'nothing is written');
  let bundle = named;
  if (options.signingKey !== undefined) {
    const { signingAlg: algorithm, keyId, scope = null } = options;
    const signed = await signBundle(named, { keyFile: resolve(options.signingKey), algorithm, keyId, scope }, { opa, tools });
    if ('problem' in signed) throw new CommandEnd(EXIT_DATA, 'signing_failed', signed.problem);
    bundle = signed;
  }
  try {
    await writeFile(options.out, bundle);
  } catch (error) {
    throw new CommandEnd(EXIT_WRITE, 'write_failed', `${options.out} could not be written (${codeOf(error)})`);
  }
  const { revision, rules } = await tools.read(bundle);
  const signed = options.signingKey !== undefined;
  const said = { ok: true, file: options.out, revision, rules: Object.keys(rules ?? {}).length, bytes: bundle.byteLength, signed };
  stdout(
    options.json === true
      ? `${JSON.stringify(said)}\n`
      : `wrote ${said.file}: revision ${revision}, ${said.rules} rules, ${said.bytes} bytes, ${signed ? 'signed' : 'not signed'}\n`,
  );
  return EXIT_OK;
}

function revisionOf(text: string): string {
  if (!/^[\x21-\x7e]{1,256}$/.test(text)) throw new InvalidArgumentError('It is 1 to 256 visible characters of ASCII.');
  return text;
}

function sequenceOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number of at most 15 digits.');
  return Number(text);
}
