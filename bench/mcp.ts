// What MCP costs a decision: node bench/mcp.ts [rounds]; prints microseconds of CPU of one policy, by what is asked.
// Variants are measured in turn, and CPU time is counted instead of the clock: what else the machine does hardly changes it.

import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enrichmentOf, identityOf, requestOf } from '../src/cases/signals.ts';
import type { DecisionRequest } from '../src/contract/request.ts';
import type { ActivePolicy } from '../src/contract/stages.ts';
import { buildBundle } from '../src/decide/bundle-build.ts';
import { readMessage } from '../src/decide/mcp/read-message.ts';
import { loadCases } from '../test/cases/load.ts';
import { createTestPolicies, ENTRYPOINT, OPA_BIN, POLICIES } from '../test/decide/fixtures.ts';
import { copyPolicies } from '../test/support/policy-directory.ts';
import { median } from './measure.ts';

const ROUNDS = Number(process.argv[2] ?? 15);
const DECISIONS = 2000;

const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-mcp-'));
const rules = globSync('*/*.rego', { cwd: join(POLICIES, 'countersign/rules') }).map((file) => file.replace(/\.rego$/, ''));

async function activate(name: string, wanted: readonly string[]): Promise<ActivePolicy> {
  const folder = join(directory, name);
  copyPolicies(folder, { rules: wanted });
  return createTestPolicies().activate('default', await buildBundle({ opaBin: OPA_BIN, directory: folder, entrypoint: ENTRYPOINT }));
}

const cases = loadCases();
const caseOf = (name: string) => {
  const one = cases.find((candidate) => candidate.name === name);
  if (one === undefined) throw new Error(`no case ${name}`);
  return one;
};
const call = caseOf('mcp: a tool is granted with its scope');
const orders = caseOf('a token with the scope reads an order');

type Variant = { readonly label: string; readonly run: () => unknown; readonly us: number[] };

function deciding(
  label: string,
  policy: ActivePolicy,
  one: typeof call,
  change: (request: DecisionRequest) => DecisionRequest = (request) => request,
): Variant {
  const request = change(requestOf(one));
  const identity = identityOf(one, request);
  const enrichment = enrichmentOf(one, request, identity);
  return { label, us: [], run: () => policy.decide(request, identity, enrichment, policy.routeOf(request)) };
}

const whole = await activate('whole', rules);
const without = await activate(
  'without',
  rules.filter((rule) => !rule.startsWith('mcp/')),
);
const message = requestOf(call);
const route = whole.routeOf(message);
const variants: readonly Variant[] = [
  deciding('another route, the pack without its rules for MCP', without, orders),
  deciding('another route, the whole pack', whole, orders),
  deciding('a call of a tool', whole, call),
  { label: 'reading the message of that call alone', us: [], run: () => readMessage(message, route) },
];

for (let round = 0; round < ROUNDS + 1; round += 1) {
  for (const { run, us } of variants) {
    const before = process.cpuUsage();
    for (let at = 0; at < DECISIONS; at += 1) run();
    const { user, system } = process.cpuUsage(before);
    if (round > 0) us.push((user + system) / DECISIONS);
  }
}
for (const { label, us } of variants)
  console.log(`${median(us).toFixed(1).padStart(7)} µs (least ${Math.min(...us).toFixed(1)})  ${label}`);
rmSync(directory, { recursive: true, force: true });
