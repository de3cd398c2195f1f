import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Finding, findingText } from '../authoring/finding.ts';
import { catalogueData, catalogueText } from '../authoring/routes/catalogue.ts';
import { importRoutes } from '../authoring/routes/import-routes.ts';
import { TIERS, type Tier } from '../contract/route.ts';
import { EXIT_DATA, EXIT_FINDINGS, EXIT_OK, EXIT_WRITE } from './exit-codes.ts';
import { CommandEnd, codeOf, type PolicyParts, readInput, runCommand } from './policy-command.ts';

type ImportOptions = {
  readonly out?: string;
  readonly tier: Tier;
  readonly publicTier: Tier;
  readonly scopes: readonly string[];
  readonly strict?: boolean;
  readonly json?: boolean;
};

/** Adds `policy routes import`. */
export function addPolicyRoutes(group: Command, parts: PolicyParts, exit: (code: number) => void): void {
  group
    .command('routes')
    .description('the route catalogue')
    .command('import')
    .description('make a catalogue of an OpenAPI 3.x document (JSON or YAML) or of HTTPRoutes of the Gateway API')
    .argument('<file>', 'the document, - for standard input')
    .option('-o, --out <file>', 'where to write it, such as policies/countersign/routes/data.yaml; otherwise standard output')
    .addOption(new Option('--tier <tier>', 'of routes whose document says none').choices(TIERS).default('medium'))
    .addOption(new Option('--public-tier <tier>', 'the same, of public routes').choices(TIERS).default('low'))
    .option('--scopes <scopes>', 'by commas: scopes of protected routes whose document says none', scopesOf, [])
    .option('--strict', 'end with 1 where there is anything to note')
    .option('--json', 'print JSON')
    .allowExcessArguments(false)
    .action((file: string, options: ImportOptions) => runCommand(parts, options.json, exit, () => importInto(file, options, parts)));
}

async function importInto(file: string, options: ImportOptions, parts: PolicyParts): Promise<number> {
  const { tier, publicTier, scopes, json, out } = options;
  const text = (await readInput(file, parts.stdin)).toString('utf8');
  const imported = importRoutes(file === '-' ? 'stdin' : file, text, { tier, publicTier, scopes });
  if ('problems' in imported) return refuse(imported.problems, json, parts);
  const { routes, notes } = imported;
  const data = catalogueData(routes);
  // what the service would say of it
  parts.policy.checkRoutes(data);
  const catalogue = catalogueText(routes, file === '-' ? 'standard input' : basename(file));
  if (out !== undefined) await write(out, catalogue);
  if (json === true) parts.stdout(`${JSON.stringify({ ok: true, routes: data, notes, ...(out === undefined ? {} : { file: out }) })}\n`);
  else {
    for (const note of notes) parts.stderr(`${findingText(note)}\n`);
    parts.stdout(out === undefined ? catalogue : `wrote ${out}: ${routes.length} routes, ${notes.length} notes\n`);
  }
  return options.strict === true && notes.length > 0 ? EXIT_FINDINGS : EXIT_OK;
}

function refuse(problems: readonly Finding[], json: boolean | undefined, { stdout, stderr }: PolicyParts): number {
  if (json === true) stdout(`${JSON.stringify({ ok: false, findings: problems })}\n`);
  else for (const problem of problems) stderr(`${findingText(problem)}\n`);
  return EXIT_DATA;
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new CommandEnd(EXIT_WRITE, 'write_failed', `${file} could not be written (${codeOf(error)})`);
  }
}

function scopesOf(text: string): string[] {
  const scopes = text.split(',').map((scope) => scope.trim());
  if (!scopes.every((scope) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope)))
    throw new InvalidArgumentError('A scope is visible ASCII without quotes.');
  return scopes;
}
