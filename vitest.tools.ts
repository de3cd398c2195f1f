import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** `npm run verify` tells the tests which OPA to use; a run of vitest alone takes the one that an earlier verify left. */
const LEFT_BY_VERIFY = join(import.meta.dirname, '.tools/bin/opa');

/** Environment of the tests. */
export const toolsEnv: Record<string, string> =
  process.env['OPA_BIN'] === undefined && existsSync(LEFT_BY_VERIFY) ? { OPA_BIN: LEFT_BY_VERIFY } : {};
