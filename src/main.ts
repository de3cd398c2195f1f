#!/usr/bin/env node
/** The entry of the process: looks at the runtime before it loads anything that an older one cannot. */
const NODE_MAJOR_MIN = 24;
const EXIT_CONFIG = 78;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(`countersign needs Node.js ${NODE_MAJOR_MIN} or newer, and this is ${process.versions.node}\n`);
  process.exitCode = EXIT_CONFIG;
} else {
  const { runCountersign } = await import('./process.ts');
  process.exitCode = await runCountersign(process.argv.slice(2));
}

export {};
