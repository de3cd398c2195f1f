import { type Command, InvalidArgumentError } from 'commander';
import { type AdminAnswer, type AdminTarget, promote, pushBundle, rollBack, withdraw } from '../authoring/admin-api.ts';
import { readSecretVariable } from '../config/command-environment.ts';
import { EXIT_NO_INPUT, EXIT_OK, EXIT_USAGE } from './exit-codes.ts';
import { CommandEnd, exitCodeOfStatus, type PolicyParts, readInput, runCommand } from './policy-command.ts';

type AdminOptions = {
  readonly url: string;
  readonly tokenFile?: string;
  readonly tokenEnv?: string;
  readonly timeoutMs: number;
  readonly allowInsecureHttp?: boolean;
  readonly json?: boolean;
};

/** Adds `policy push`, `rollback`, `promote` and `withdraw`. */
export function addPolicyPush(group: Command, parts: PolicyParts, exit: (code: number) => void): void {
  withAdminOptions(
    group
      .command('push')
      .description('hand a bundle to a running service, which checks it and makes it active')
      .argument('<policy>', 'the name of the policy')
      .argument('<bundle>', 'a bundle, - for standard input'),
  ).action((policy: string, file: string, options: AdminOptions) =>
    runCommand(parts, options.json, exit, async () => {
      const target = await targetOf(policy, options, parts);
      return show(await pushBundle(target, await readInput(file, parts.stdin), parts.policy), 'active', options, parts);
    }),
  );

  withAdminOptions(
    group
      .command('rollback')
      .description('go back to a revision that was active before')
      .argument('<policy>', 'the name of the policy')
      .option('--revision <text>', 'otherwise the one before the active one'),
  ).action((policy: string, options: AdminOptions & { readonly revision?: string }) =>
    runCommand(parts, options.json, exit, async () => {
      const target = await targetOf(policy, options, parts);
      return show(await rollBack(target, options.revision ?? null, parts.policy), 'active again', options, parts);
    }),
  );

  withAdminOptions(
    group
      .command('promote')
      .description('make the candidate of a policy active')
      .argument('<policy>', 'the name of the policy')
      .option('--revision <text>', 'only if the candidate is still this one; otherwise as it is'),
  ).action((policy: string, options: AdminOptions & { readonly revision?: string }) =>
    runCommand(parts, options.json, exit, async () => {
      const target = await targetOf(policy, options, parts);
      return show(await promote(target, options.revision ?? null, parts.policy), 'active', options, parts);
    }),
  );

  withAdminOptions(
    group
      .command('withdraw')
      .description('have nobody get the candidate of a policy until its source has another one')
      .argument('<policy>', 'the name of the policy'),
  ).action((policy: string, options: AdminOptions) =>
    runCommand(parts, options.json, exit, async () => {
      const target = await targetOf(policy, options, parts);
      return show(await withdraw(target, parts.policy), 'withdrawn', options, parts);
    }),
  );
}

function withAdminOptions(command: Command): Command {
  return command
    .requiredOption('--url <url>', 'where the operations listener is, https://host:9090')
    .option('--token-file <file>', 'file with the token of an operator')
    .option('--token-env <name>', 'variable with the token of an operator')
    .option('--timeout-ms <number>', 'for the whole exchange', timeoutOf, 60_000)
    .option('--allow-insecure-http', 'also http to another host: the token can be read on the way')
    .option('--json', 'print JSON')
    .allowExcessArguments(false);
}

async function targetOf(policy: string, options: AdminOptions, parts: PolicyParts): Promise<AdminTarget> {
  const { url, tokenFile, tokenEnv, timeoutMs, allowInsecureHttp = false } = options;
  if ((tokenFile === undefined) === (tokenEnv === undefined))
    throw new CommandEnd(EXIT_USAGE, 'usage', 'one of --token-file and --token-env is needed');
  const text = tokenFile === undefined ? readSecretVariable(tokenEnv ?? '') : (await readInput(tokenFile, parts.stdin)).toString('utf8');
  const token = text?.replace(/\r?\n$/, '') ?? '';
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new CommandEnd(EXIT_NO_INPUT, 'token_missing', 'no token is there, or it is not one line of visible ASCII');
  return { url, token, policy, timeoutMs, allowInsecureHttp };
}

function show(answer: AdminAnswer, what: string, { json }: AdminOptions, { stdout }: PolicyParts): number {
  if (!answer.ok) throw new CommandEnd(exitCodeOfStatus(answer.status), answer.code, answer.text);
  const { name, revision } = answer;
  stdout(json === true ? `${JSON.stringify({ ok: true, name, revision })}\n` : `${name}: revision ${revision} is ${what}\n`);
  return EXIT_OK;
}

function timeoutOf(text: string): number {
  const value = Number(text);
  if (!/^\d{1,7}$/.test(text) || value < 1) throw new InvalidArgumentError('It is 1 to 9999999.');
  return value;
}
