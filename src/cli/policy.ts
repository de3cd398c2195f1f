import type { Command } from 'commander';
import { addPolicyBuild } from './policy-build.ts';
import { addPolicyCheck } from './policy-check.ts';
import type { PolicyParts } from './policy-command.ts';
import { addPolicyEval } from './policy-eval.ts';
import { addPolicyInit } from './policy-init.ts';
import { addPolicyInspect } from './policy-inspect.ts';
import { addPolicyPush } from './policy-push.ts';
import { addPolicyRoutes } from './policy-routes.ts';
import { addPolicyTest } from './policy-test.ts';

/**
 * Adds `countersign policy …`. Exit codes: 0 sound, 1 findings, 64 wrong arguments, 65 data that does not have the form, 66 what should be
 * there is not, 69 OPA or the admin API is not to be had, 74 a file could not be written, 77 the admin API does not allow it.
 */
export function addPolicyCommands(program: Command, parts: PolicyParts, exit: (code: number) => void): void {
  const group = program.command('policy').description('write, check, test, build, compare and ship policies');
  addPolicyInit(group, parts, exit);
  addPolicyRoutes(group, parts, exit);
  addPolicyCheck(group, parts, exit);
  addPolicyTest(group, parts, exit);
  addPolicyBuild(group, parts, exit);
  addPolicyInspect(group, parts, exit);
  addPolicyEval(group, parts, exit);
  addPolicyPush(group, parts, exit);
}
