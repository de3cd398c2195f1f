// What a replay costs: node bench/replay.ts [--records N]. Writes a log of the cases in test/cases, by the base pack with the whole input, and replays it in this process.
import { createWriteStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createReplayTools } from '../src/compose/replay-tools.ts';
import { loadCases } from '../test/cases/load.ts';
import { baseBundle, createTestPolicies } from '../test/decide/fixtures.ts';
import { lineOfCase } from '../test/replay/recorded.ts';

const { values } = parseArgs({ options: { records: { type: 'string', default: '50000' } } });
const records = Number(values.records);
const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-replay-'));
const [log, policy] = [join(folder, 'decisions.jsonl'), join(folder, 'policy.tar.gz')];

const bundle = await baseBundle();
writeFileSync(policy, bundle);
const active = await createTestPolicies().activate('default', bundle);
const lines = loadCases()
  .filter(({ levels }) => levels.includes('wasm'))
  .map((one) => `${JSON.stringify(lineOfCase(active, one, 'full'))}\n`);
const out = createWriteStream(log);
for (let index = 0; index < records; index++) {
  if (!out.write(lines[index % lines.length])) await new Promise((resolve) => out.once('drain', resolve));
}
await new Promise<void>((resolve) => out.end(resolve));

const before = process.cpuUsage();
const from = performance.now();
const task = { logs: [log], policy, contract: 'rules', entrypoint: null, opaBin: null, policyName: 'default', examplesMax: 3 } as const;
const report = await createReplayTools().replay(task);
const seconds = (performance.now() - from) / 1000;
const { user, system } = process.cpuUsage(before);
const bytes = statSync(log).size;
rmSync(folder, { recursive: true });

console.log(
  `records   ${report.replayed} of ${report.records}, ${Math.round(bytes / report.records)} bytes a line, changed ${report.changed}`,
);
console.log(
  `time      ${seconds.toFixed(1)} s, of CPU ${((user + system) / 1e6).toFixed(1)} s: ${Math.round((user + system) / records)} us a record`,
);
console.log(`memory    ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
