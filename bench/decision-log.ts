// What a record costs by its form: node bench/decision-log.ts [rounds]; prints microseconds of CPU a record, all of the process with its threads.
// Variants are measured in turn. Lines go to /dev/null, batches of the collector are packed and thrown away.

import type { LogRules } from '../src/contract/decision-log.ts';
import type { DecisionRecord } from '../src/contract/record.ts';
import { bundleOf, unpack } from '../src/decide/bundle.ts';
import { compileInput } from '../src/decide/input.ts';
import { logRulesIn } from '../src/decide/log-rules.ts';
import { SMOKE_FACTS } from '../src/decide/smoke.ts';
import { compileWasm, instantiateWasm } from '../src/decide/wasm-policy.ts';
import { createHttpSink } from '../src/record/http-sink.ts';
import { createLogger } from '../src/record/logger.ts';
import { createPseudonyms } from '../src/record/pseudonyms.ts';
import { createRecorder, type DecisionRecorder, type RecorderOptions, type RecorderParts } from '../src/record/recorder.ts';
import { systemClock } from '../src/system-clock.ts';
import { bundleWith } from '../test/decide/bundles.ts';
import { policyOptions } from '../test/decide/fixtures.ts';
import { allowed } from '../test/record/records.ts';
import { median } from './measure.ts';

const ROUNDS = Number(process.argv[2] ?? 9);
const RECORDS = 5000;
/** Records of one turn of the event loop, as under load. */
const BURST = 8;
const MIB = 1 << 20;
const MASK =
  'package system.log\n\nmask contains "/input/subject/id"\n\nmask contains "/result/address" if input.result.effect == "allow"\n';

const { identity, request } = allowed;
if (identity === null) throw new Error('the record has no identity');
const whole = compileInput({ headers: ['user-agent'], claims: 'all' }, null)({ ...SMOKE_FACTS, request, identity, lists: [] });
const record: DecisionRecord = { ...allowed, input: () => whole };
const manifest = JSON.stringify({ roots: ['countersign', 'system/log'], rego_version: 1 });
const bundle = bundleOf(await unpack(await bundleWith({ 'log/mask.rego': MASK, '.manifest': manifest })));
const rules: LogRules | null = logRulesIn(await instantiateWasm(await compileWasm(bundle.wasm), bundle.data, policyOptions()));

const logger = createLogger({ level: 'silent' });
const key = Buffer.alloc(32, 1);
const nowhere = { file: '/dev/null' };

type Variant = { readonly label: string; readonly recorder: DecisionRecorder; readonly record: DecisionRecord; readonly us: number[] };

function variant(label: string, options: Partial<RecorderOptions>, parts: Partial<RecorderParts> = {}, one = record): Variant {
  const recorder = createRecorder(
    { sink: nowhere, input: 'referenced', bufferBytesMax: 64 * MIB, labels: { id: 'bench', app: 'countersign', version: '0' }, ...options },
    { metrics: { count() {} }, logger, clock: systemClock, later: (work) => void setImmediate(work), ...parts },
  );
  return { label, recorder, record: one, us: [] };
}

const collector: RecorderParts['http'] = {
  format: 'opa',
  open: (onError) =>
    createHttpSink(
      {
        url: 'https://collector.example/logs',
        allowInsecureHttp: false,
        credentials: { tokenFile: null },
        tls: { caFile: null, certFile: null, keyFile: null },
        batch: { bytesMax: 262_144, delayMs: 1000 },
        timeoutMs: 1000,
        retry: { minMs: 1, maxMs: 1 },
        bufferBytesMax: 64 * MIB,
      },
      {
        post: async () => ({ status: 200, retryAfterMs: null }),
        readFile: async () => Buffer.alloc(0),
        random: Math.random,
        onError,
        keepRefused: false,
      },
    ),
};

const variants: readonly Variant[] = [
  variant('no sink', { sink: 'none' }),
  variant('countersign, without the input', { input: 'none' }),
  variant('countersign', {}),
  variant('countersign, audit required', { audit: 'required' }),
  variant('opa', { format: 'opa' }),
  variant('ocsf', { format: 'ocsf' }),
  variant('collector: opa, packed', { sink: 'none' }, { http: collector }),
  variant('countersign, addresses cut', {}, { pseudonymise: createPseudonyms({ addresses: 'truncate', clients: 'keep', key }) }),
  variant('countersign, all hashed', {}, { pseudonymise: createPseudonyms({ addresses: 'hash', clients: 'hash', key }) }),
  variant('countersign, two masks', {}, {}, { ...record, logRules: rules }),
];

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function run({ recorder, record: one }: Variant): Promise<number> {
  const before = process.cpuUsage();
  for (let at = 0; at < RECORDS; at += BURST) {
    for (let index = 0; index < BURST; index += 1) {
      recorder.refuses?.();
      recorder.record(one);
    }
    await nextTurn();
  }
  // what waits for its masks or its batch is part of the cost
  for (let turn = 0; turn < 50; turn += 1) await nextTurn();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / RECORDS;
}

for (let round = 0; round < ROUNDS + 2; round += 1) {
  for (const one of variants) {
    const us = await run(one);
    if (round >= 2) one.us.push(us);
  }
}
console.log(`input ${JSON.stringify(whole).length} bytes; µs of CPU a record, median of ${ROUNDS} (least)`);
for (const { label, us, recorder } of variants) {
  const { written, dropped } = recorder.status();
  console.log(
    `${label.padEnd(34)} ${median(us).toFixed(1).padStart(7)} (${Math.min(...us).toFixed(1)})  written ${written}, dropped ${dropped}`,
  );
  await recorder.close(1000);
}
