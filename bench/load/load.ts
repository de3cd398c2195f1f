import { readFileSync } from 'node:fs';
import type { LoadConnection } from './connection.ts';
import { nowNs } from './connection.ts';
import { openGrpc } from './grpc-connection.ts';
import { openHttp } from './http-connection.ts';
import { type Effect, type LoadJob, type LoadResult, type Question, unpackQuestions } from './questions.ts';

/** The load process: one job as JSON on standard input, one result as JSON on standard output. */

const CHECK_PATH = '/envoy.service.auth.v3.Authorization/Check';

const job: LoadJob = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(await measure(job)));
process.exit(0);

async function measure(job: LoadJob): Promise<LoadResult> {
  const questions = unpackQuestions(readFileSync(job.questionsFile));
  const effects: Record<Effect | 'unknown', number> = { allow: 0, deny: 0, step_up: 0, unknown: 0 };
  const latencies: number[] = [];
  let wrong = 0;
  let firstWrong: string | null = null;
  let measuring = false;
  let over = false;
  let asked = 0;
  const next = (): Question => {
    const question = questions[asked % questions.length];
    asked += 1;
    if (question === undefined) throw new Error('there are no questions');
    return question;
  };
  const connections: LoadConnection[] = [];
  const fail = (why: string): void => {
    if (over) return;
    console.error(why);
    process.exit(1);
  };
  const open = async (): Promise<LoadConnection> => {
    const onAnswer = (question: Question, sentAtNs: number, effect: Effect | 'unknown', body: Buffer): void => {
      if (measuring) latencies.push(nowNs() - sentAtNs);
      effects[effect] += 1;
      if (job.checkAnswers && effect !== question.expected) {
        wrong += 1;
        firstWrong ??= `${question.expected} expected: ${question.body.toString('latin1').slice(0, 2000)}\n${body.toString('latin1').slice(0, 2000)}`;
      }
      if (!over) connection.ask(next());
    };
    const connection: LoadConnection =
      job.protocol === 'grpc'
        ? await openGrpc(job.port, CHECK_PATH, onAnswer, fail)
        : await openHttp(job.port, job.path, job.extraHeaders, onAnswer, fail);
    connections.push(connection);
    return connection;
  };
  const count = job.protocol === 'grpc' ? Math.min(job.connections, job.inFlight) : job.inFlight;
  for (let index = 0; index < count; index += 1) await open();
  for (let index = 0; index < job.inFlight; index += 1) connections[index % count]?.ask(next());
  await sleep(job.warmUpMs);
  measuring = true;
  const cpu = process.cpuUsage();
  const started = nowNs();
  await sleep(job.measureMs);
  measuring = false;
  const seconds = (nowNs() - started) / 1e9;
  const used = process.cpuUsage(cpu);
  over = true;
  for (const connection of connections) connection.close();
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) / 1000);
  return {
    answers: sorted.length,
    perSecond: Math.round(sorted.length / seconds),
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    effects,
    wrong,
    firstWrong,
    loaderBusy: (used.user + used.system) / 1e6 / seconds,
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
