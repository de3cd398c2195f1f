import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAuthority } from '../test/support/certificates.ts';
import { encodeCheckRequest } from './check-request.ts';
import { reportEvidence } from './evidence/report.ts';
import { reportHostile } from './hostile/report.ts';
import type { LoadResult } from './load/questions.ts';
import { cpuSeconds, median, runLoad, writeQuestions } from './measure.ts';
import { type Server, startEmptyServer, startOpa, startPinnedCountersign, startRedis, type Variant } from './peers.ts';
import { writeCountersignPolicies, writeOpaPolicies } from './policy-directory.ts';
import { type SignedQuestions, signQuestions } from './signed-questions.ts';
import { createWorkload, decideBody, type Workload } from './workload.ts';

/**
 * The benchmark of DESIGN 6: `node bench/run.ts [--parts evidence,hostile,load] [--rounds 3] [--measure-ms 1200] [--in-flight 64,16,1] [--short]
 * [--no-ablation]`. Everything that is compared is measured in turn, round after round, and the medians are printed. A wrong answer, and a
 * ratio that is missed, end it with 1.
 */

type Case = {
  readonly label: string;
  readonly server: Server;
  readonly protocol: 'grpc' | 'http';
  readonly path: string;
  readonly questionsFile: string;
};
const SIGNED = 'with a message signature';

type Measured = LoadResult & { readonly cpuUs: number };
type Timing = { readonly warmUpMs: number; readonly measureMs: number; readonly rounds: number };

const { values: options } = parseArgs({
  options: {
    parts: { type: 'string', default: 'evidence,hostile,load' },
    rounds: { type: 'string', default: '3' },
    'measure-ms': { type: 'string', default: '1200' },
    'in-flight': { type: 'string', default: '64,16,1' },
    short: { type: 'boolean', default: false },
    'no-ablation': { type: 'boolean', default: false },
  },
});
const timing: Timing = options.short
  ? { warmUpMs: 300, measureMs: 500, rounds: 1 }
  : { warmUpMs: 300, measureMs: Number(options['measure-ms']), rounds: Number(options.rounds) };
const inFlights = options.short ? [16] : options['in-flight'].split(',').map(Number);
const ablation = !(options.short || options['no-ablation']);

const parts = options.parts.split(',');
const EVIDENCE_ROUNDS = { short: 10, full: 200 };

const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const running: { stop(): Promise<unknown> }[] = [];
let wrong = 0;
try {
  if (parts.includes('evidence')) wrong += await reportEvidence(EVIDENCE_ROUNDS[options.short ? 'short' : 'full']);
  if (parts.includes('hostile')) wrong += await reportHostile();
  if (parts.includes('load')) await compareUnderLoad();
} finally {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;

async function compareUnderLoad(): Promise<void> {
  const workload = createWorkload();
  const questions = writeAllQuestions(workload);
  const packs = {
    w1: join(directory, 'w1'),
    full: join(directory, 'full'),
    opa: join(directory, 'opa'),
    opaCidrs: join(directory, 'opa-cidrs'),
  };
  writeCountersignPolicies(packs.w1, workload, 'w1');
  writeCountersignPolicies(packs.full, workload, 'full');
  writeOpaPolicies(packs.opa, workload, 'keys');
  writeOpaPolicies(packs.opaCidrs, workload, 'cidrs');

  await printLoaderCapacity(questions.grpc);
  const opa = await started(startOpa('opa', packs.opa, false));
  const opaCached = await started(startOpa('opa-cached', packs.opa, true));
  const opaCidrs = await started(startOpa('opa-cidrs', packs.opaCidrs, false));
  const w1 = await started(startPinnedCountersign('w1', directory, workload, { policies: packs.w1 }));
  const full = await started(startPinnedCountersign('full', directory, workload, { policies: packs.full }));
  const rest: Case = { label: 'OPA REST', server: opa, protocol: 'http', path: '/v1/data/w1/decision', questionsFile: questions.opa };
  const cases: Case[] = [
    { label: 'W1 grpc', server: w1, protocol: 'grpc', path: '', questionsFile: questions.grpc },
    rest,
    { label: 'W1 /decide', server: w1, protocol: 'http', path: '/decide', questionsFile: questions.decide },
    { ...rest, label: 'OPA REST, its token cache on', server: opaCached },
    { ...rest, label: 'OPA REST, networks as a list of CIDRs', server: opaCidrs },
    { label: 'full grpc', server: full, protocol: 'grpc', path: '', questionsFile: questions.grpcFull },
    { label: 'full /decide', server: full, protocol: 'http', path: '/decide', questionsFile: questions.decideFull },
  ];
  for (const each of cases) await warmUp(each);
  for (const inFlight of inFlights) {
    const results = await measureInTurn(cases, inFlight, timing);
    const base = summary(results.get(rest.label) ?? []).perSecond;
    for (const [label, rounds] of results) console.log(line(`${label} ${inFlight}`, rounds, base));
  }
  if (ablation) await printAblation(workload, packs, questions, full);
}

/** Starts and remembers a server, so that it is stopped whatever happens. */
async function started<S extends { stop(): Promise<unknown> }>(starting: Promise<S>): Promise<S> {
  const server = await starting;
  running.push(server);
  return server;
}

type QuestionFiles = Record<'grpc' | 'decide' | 'opa' | 'grpcFull' | 'decideFull', string>;

function writeAllQuestions(workload: Workload): QuestionFiles {
  const authority = createAuthority();
  const certificates = Array.from({ length: 100 }, (_, index) =>
    authority.client({ commonName: `client-${index}`, uris: [`spiffe://bench.example/client/${index}`] }),
  );
  const pem = (index: number): string => certificates[index % certificates.length]?.pem ?? '';
  const write = (name: keyof QuestionFiles, encode: (index: number) => Buffer): string =>
    writeQuestions(
      directory,
      name,
      workload.asks.map((ask, index) => ({ expected: ask.expected, body: encode(index) })),
    );
  const ask = (index: number) => {
    const found = workload.asks[index];
    if (found === undefined) throw new Error('no such question');
    return found;
  };
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  return {
    grpc: write('grpc', (index) => encodeCheckRequest(ask(index), null)),
    grpcFull: write('grpcFull', (index) => encodeCheckRequest(ask(index), pem(index))),
    decide: write('decide', (index) => json(decideBody(ask(index)))),
    decideFull: write('decideFull', (index) => json({ ...decideBody(ask(index)), certificate: { pem: pem(index) } })),
    opa: write('opa', (index) => json({ input: decideBody(ask(index)) })),
  };
}

/** One measurement, and the CPU time that the server needed for each answer: unlike the rate, it hardly changes with what else the machine does. */
async function measure(of: Case, inFlight: number, during: Timing, checkAnswers = true): Promise<Measured> {
  const before = cpuSeconds(of.server.pid);
  const result = await runLoad({
    protocol: of.protocol,
    port: of.protocol === 'grpc' ? of.server.grpcPort : of.server.httpPort,
    path: of.path,
    extraHeaders: '',
    inFlight,
    connections: 1,
    warmUpMs: during.warmUpMs,
    measureMs: during.measureMs,
    checkAnswers,
    questionsFile: of.questionsFile,
  });
  if (result.wrong > 0) {
    wrong += result.wrong;
    console.error(`${of.label}: ${result.wrong} wrong answers of ${result.answers}; the first: ${result.firstWrong}`);
  }
  const answers = Object.values(result.effects).reduce((sum, count) => sum + count, 0);
  return { ...result, cpuUs: ((cpuSeconds(of.server.pid) - before) / answers) * 1e6 };
}

/**
 * Until the just-in-time compiler has seen the path often enough (some 40,000 decisions on one core); a cold process that gets 64 questions
 * at once may rightly deny a few by its deadline, so answers are not checked yet.
 */
async function warmUp(of: Case): Promise<void> {
  const seconds = of.server.name.startsWith('opa') ? 1 : options.short ? 2 : 6;
  await measure(of, options.short ? 16 : 64, { ...timing, warmUpMs: seconds * 1000, measureMs: 100 }, false);
}

/** A B C, A B C, … */
async function measureInTurn(cases: readonly Case[], inFlight: number, during: Timing): Promise<Map<string, Measured[]>> {
  const results = new Map<string, Measured[]>(cases.map((each) => [each.label, []]));
  for (let round = 0; round < during.rounds; round += 1) {
    for (const each of cases) results.get(each.label)?.push(await measure(each, inFlight, during));
  }
  return results;
}

type Summary = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly loaderBusy: number;
  readonly cpuUs: number;
};

function summary(rounds: readonly Measured[]): Summary {
  const of = (key: keyof Summary): number => median(rounds.map((round) => round[key]));
  return { perSecond: of('perSecond'), p50: of('p50'), p99: of('p99'), loaderBusy: of('loaderBusy'), cpuUs: of('cpuUs') };
}

function line(label: string, rounds: readonly Measured[], base: number): string {
  const { perSecond, p50, p99, loaderBusy, cpuUs } = summary(rounds);
  const ms = (us: number): string => `${(us / 1000).toFixed(2)} ms`;
  const ratio = base === 0 ? '' : `, ${(perSecond / base).toFixed(1)}x OPA REST`;
  return `${label}: ${perSecond.toLocaleString('en')} req/s, p50 ${ms(p50)}, p99 ${ms(p99)}${ratio} (${cpuUs.toFixed(0)} us of CPU each; loader ${Math.round(loaderBusy * 100)} % busy)`;
}

async function printLoaderCapacity(questionsFile: string): Promise<void> {
  const server = await startEmptyServer();
  for (const protocol of ['grpc', 'http'] as const) {
    const result = await measure({ label: 'empty', server, protocol, path: '/', questionsFile }, 64, timing, false);
    console.log(line(`load generator against an empty ${protocol} server 64`, [result], 0));
  }
  await server.stop();
}

/** What each part adds to `full` over gRPC at 64 in flight: microseconds of CPU time a decision with and without it. */
async function printAblation(
  workload: Workload,
  packs: { w1: string; full: string },
  questions: QuestionFiles,
  full: Server,
): Promise<void> {
  const redis = await startRedis();
  if (redis !== null) running.push(redis);
  const variants: [string, Variant, string][] = [
    ['without the certificate', { policies: packs.full }, questions.grpc],
    ['without the country data', { policies: packs.full, registry: false }, questions.grpcFull],
    ['without the decision log', { policies: packs.full, log: 'none' }, questions.grpcFull],
    ['with six rules instead of all', { policies: packs.w1 }, questions.grpcFull],
    ...(redis === null
      ? []
      : [
          ['with counters in Redis', { policies: packs.full, redisUrl: redis.url }, questions.grpcFull] satisfies [string, Variant, string],
        ]),
  ];
  const signed = signQuestions(workload);
  variants.push([SIGNED, signedVariant(packs.full, signed), writeSigned(signed)]);
  const grpc = { protocol: 'grpc', path: '' } as const;
  const cases: Case[] = [{ ...grpc, label: 'full', server: full, questionsFile: questions.grpcFull }];
  for (const [label, variant, questionsFile] of variants) {
    const server = await started(startPinnedCountersign(label.replaceAll(' ', '-'), directory, workload, variant));
    cases.push({ ...grpc, label, server, questionsFile });
  }
  for (const each of cases) await warmUp(each);
  // signed decisions are slower, and their path needs as many of them
  for (const each of cases.filter(({ label }) => label === SIGNED)) for (let round = 0; round < 2; round += 1) await warmUp(each);
  const results = await measureInTurn(cases, 64, timing);
  const cost = (label: string): number => summary(results.get(label) ?? []).cpuUs;
  for (const [label, rounds] of results) {
    const difference = cost('full') - cost(label);
    const bare = label === SIGNED ? `; node:crypto alone takes ${signed.bareVerificationUs().toFixed(1)} us` : '';
    const marginal = label === 'full' ? '' : `, ${difference >= 0 ? 'saves' : 'adds'} ${Math.abs(difference).toFixed(1)} us`;
    console.log(
      `full grpc 64, ${label}: ${summary(rounds).perSecond.toLocaleString('en')} req/s, ${cost(label).toFixed(1)} us a decision${marginal}${bare}`,
    );
  }
}

function signedVariant(policies: string, signed: SignedQuestions): Variant {
  const jwksFile = join(directory, 'signatures-jwks.json');
  writeFileSync(jwksFile, signed.jwks);
  return { policies, identity: signed.identity(jwksFile) };
}

/** With certificates as the others have them, so that only the signature differs. */
function writeSigned(signed: SignedQuestions): string {
  const authority = createAuthority();
  const certificates = Array.from({ length: 100 }, (_, index) =>
    authority.client({ commonName: `client-${index}`, uris: [`spiffe://bench.example/client/${index}`] }),
  );
  const questions = signed.asks.map((ask, index) => ({
    expected: ask.expected,
    body: encodeCheckRequest(ask, certificates[index % certificates.length]?.pem ?? ''),
  }));
  return writeQuestions(directory, 'grpcSigned', questions);
}
