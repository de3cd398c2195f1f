#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError } from './config/config-error.ts';
import { loadConfig } from './config/load.ts';
import { printConfig } from './config/mask.ts';
import { serve } from './serve.ts';

const { values } = parseArgs({ options: { config: { type: 'string' }, 'print-config': { type: 'boolean' } }, allowPositionals: true });
try {
  const config = loadConfig({ file: values.config });
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  if (values['print-config']) process.stdout.write(printConfig(config));
  else process.exitCode = await serve(config, version);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 78;
}
