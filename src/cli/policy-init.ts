import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseRuleName, type RuleName, ruleFiles, TEMPLATE_EFFECTS, type TemplateEffect } from '../authoring/rule-template.ts';
import { EXIT_DATA, EXIT_OK, EXIT_WRITE } from './exit-codes.ts';
import { CommandEnd, codeOf, needPolicyFolder, type PolicyParts, runCommand } from './policy-command.ts';

type InitOptions = { readonly policies: string; readonly title?: string; readonly effect: TemplateEffect; readonly json?: boolean };

/** Adds `policy init`. */
export function addPolicyInit(group: Command, parts: PolicyParts, exit: (code: number) => void): void {
  group
    .command('init')
    .description('write a new rule with its METADATA and its test, from a template that passes check and test')
    .argument('<rule>', '<category>.<rule>, such as access.office_hours', ruleNameOf)
    .option('--policies <folder>', 'the folder of the policy', 'policies')
    .option('--title <text>', 'what reasons show')
    .addOption(new Option('--effect <effect>', 'what it says of what it looks for').choices(TEMPLATE_EFFECTS).default('deny'))
    .option('--json', 'print JSON')
    .allowExcessArguments(false)
    .action((rule: RuleName, options: InitOptions) => runCommand(parts, options.json, exit, () => init(rule, options, parts)));
}

async function init(rule: RuleName, { policies, title, effect, json }: InitOptions, { stdout }: PolicyParts): Promise<number> {
  await needPolicyFolder(policies);
  const files = ruleFiles(rule, title ?? `Say here what ${rule.category}.${rule.name} means`, effect);
  const written: string[] = [];
  for (const { path, text } of files) {
    const target = join(policies, path);
    try {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text, { flag: 'wx' });
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw new CommandEnd(EXIT_DATA, 'file_exists', `${target} is there already`);
      throw new CommandEnd(EXIT_WRITE, 'write_failed', `${target} could not be written (${codeOf(error)})`);
    }
    written.push(target);
  }
  stdout(json === true ? `${JSON.stringify({ ok: true, files: written })}\n` : written.map((file) => `wrote ${file}\n`).join(''));
  return EXIT_OK;
}

function ruleNameOf(text: string): RuleName {
  const name = parseRuleName(text);
  if (name === null) throw new InvalidArgumentError('It is <category>.<rule> of a-z, 0-9 and "_", and neither is a word of Rego.');
  return name;
}
