import type { Command } from 'commander';
import { checkPolicy } from '../authoring/check-policy.ts';
import { findingText } from '../authoring/finding.ts';
import {
  type FolderOptions,
  needPolicyFolder,
  opaOf,
  type PolicyParts,
  runCommand,
  showFindings,
  withFolderOptions,
} from './policy-command.ts';

/** Adds `policy check`. */
export function addPolicyCheck(group: Command, parts: PolicyParts, exit: (code: number) => void): void {
  withFolderOptions(
    group
      .command('check')
      .description(
        'check a folder of Rego: OPA’s strict check with the schema of the input, our rules for rules, and whether the service would take it',
      )
      .argument('<folder>', 'the folder of the policy, with its .manifest'),
  ).action((directory: string, options: FolderOptions) =>
    runCommand(parts, options.json, exit, async () => {
      await needPolicyFolder(directory);
      const { opa, opaBin } = opaOf(options);
      const report = await checkPolicy({ directory, opaBin, entrypoint: options.entrypoint }, { opa, tools: parts.policy });
      const { findings, warnings, rules, files } = report;
      if (options.json !== true) for (const warning of warnings) parts.stderr(`${findingText(warning)}\n`);
      return showFindings(parts, options.json, findings, { rules, files, warnings }, `${rules} rules in ${files} files`);
    }),
  );
}
