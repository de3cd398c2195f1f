import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runProgram } from './cli/program.ts';
import { checkListFile, createGeoipTools } from './compose/command-tools.ts';
import { createDoctorTools } from './compose/doctor-tools.ts';
import { createPolicyTools } from './compose/policy-tools.ts';
import { createReplayTools } from './compose/replay-tools.ts';
import { maskConfig } from './config/mask.ts';
import type { Config } from './config/schema.ts';
import { asCountersignError } from './contract/errors.ts';
import { isJsonObject } from './contract/json.ts';
import { createLogger } from './record/logger.ts';
import { createService } from './service.ts';
import { systemClock } from './system-clock.ts';

/** A start that failed: EX_UNAVAILABLE of sysexits.h. A configuration that is refused ends with 78 (EX_CONFIG) before this. */
const EXIT_UNAVAILABLE = 69;
const LOG_BOUND_MS = 1000;

/** Runs the command line with the streams of this process, and resolves with its exit code. */
export function runCountersign(args: readonly string[]): Promise<number> {
  const version = packageVersion();
  return runProgram(args, {
    version,
    serve: (config) => serve(config, version),
    geoip: createGeoipTools(systemClock),
    checkList: checkListFile,
    policy: createPolicyTools(systemClock),
    replay: createReplayTools(),
    examine: createDoctorTools(systemClock),
    stdin: process.stdin,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    randomBytes,
  });
}

/**
 * The process: joins the service, opens it, and drains it on SIGTERM or SIGINT. Resolves with the exit code once the service is gone.
 * A second signal does not hurry the drain: it has its own bounds.
 */
async function serve(config: Config, version: string): Promise<number> {
  const logger = createLogger(config.log);
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
  // the last resort: borders catch their own, and one request's exception must not take every other one with it
  process.on('uncaughtException', (cause) => logger.error('uncaught_exception', { cause }));
  process.on('unhandledRejection', (cause) => logger.error('unhandled_rejection', { cause }));

  let exitCode = 0;
  try {
    logger.info('starting', { version, node: process.versions.node, pid: process.pid });
    logger.debug('config', { config: maskConfig(config) });
    const service = await createService({ config, version, clock: systemClock, logger });
    await service.start();
    const signal = await stopped;
    logger.info('signal_received', { signal });
    await service.drain();
  } catch (thrown) {
    const error = asCountersignError(thrown, 'internal_error');
    logger.error('start_failed', { code: error.code, text: error.message, cause: error.cause });
    exitCode = EXIT_UNAVAILABLE;
  }
  await logger.close(LOG_BOUND_MS);
  return exitCode;
}

/** Of package.json, which lies one folder above both `src/` and `dist/`. */
function packageVersion(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return isJsonObject(read) && typeof read['version'] === 'string' ? read['version'] : '0.0.0';
}
