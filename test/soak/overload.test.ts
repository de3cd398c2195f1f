import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../support/countersign.ts';

/*
 * Twice and three times what a process can answer, offered whether it answers or not, over gRPC and over HTTP, with the defaults. The bench itself judges by ratios: what is
 * answered in time against what the same process answers to clients that wait, that everything else was refused in the form that fails closed, that
 * probes were answered, that memory stayed within its bound.
 */
test.each(['grpc', 'http'])('under overload over %s goodput does not collapse', (protocol) => {
  const args = [join(PROJECT_ROOT, 'bench/overload/run.ts'), '--protocols', protocol, '--factors', '2,3', '--queue-ms', 'default'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: PROJECT_ROOT, encoding: 'utf8' });
  console.log(stdout);
  expect([status, stderr]).toEqual([0, '']);
});
