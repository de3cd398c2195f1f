import { readFileSync } from 'node:fs';
import { type LoadConnection, nowNs } from '../load/connection.ts';
import { openGrpc } from '../load/grpc-connection.ts';
import { openHttp } from '../load/http-connection.ts';
import { type Question, unpackQuestions } from '../load/questions.ts';
import type { OpenJob, OpenResult } from './open-job.ts';
import { startProbes } from './probes.ts';

/** The load process: questions arrive at a steady rate, whether the ones before were answered or not. */

const CHECK_PATH = '/envoy.service.auth.v3.Authorization/Check';
const SLICE_MS = 2;
/** Below `MAX_CONCURRENT_STREAMS` of the server. */
const STREAMS_MAX = 2000;
/** After the last arrival, for the answers. */
const SETTLE_MS = 1500;

type Kind = 'decided' | 'shed' | 'expired' | 'failed';

const job: OpenJob = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(await measure(job)));
process.exit(0);

async function measure(job: OpenJob): Promise<OpenResult> {
  const questions = unpackQuestions(readFileSync(job.questionsFile));
  const times: Record<Kind, number[]> = { decided: [], shed: [], expired: [], failed: [] };
  let firstFailed: string | null = null;
  let fromNs = Number.POSITIVE_INFINITY;
  let toNs = Number.POSITIVE_INFINITY;
  const note = (kind: Kind, arrivedAtNs: number, text: Buffer): void => {
    if (arrivedAtNs < fromNs || arrivedAtNs >= toNs) return;
    times[kind].push((nowNs() - arrivedAtNs) / 1e6);
    if (kind === 'failed') firstFailed ??= text.toString('latin1').slice(0, 600);
  };
  const ask = job.protocol === 'grpc' ? await overGrpc(job, note) : await overHttp(job, note);
  const started = nowNs();
  fromNs = started + job.warmUpMs * 1e6;
  toNs = fromNs + job.measureMs * 1e6;
  const probes = startProbes(job);
  const cpu = process.cpuUsage();
  let arrived = 0;
  while (nowNs() < toNs) {
    const due = ((nowNs() - started) / 1e9) * job.perSecond;
    for (; arrived < due; arrived += 1) {
      const question = questions[arrived % questions.length];
      if (question !== undefined) ask(question, started + (arrived / job.perSecond) * 1e9);
    }
    await sleep(SLICE_MS);
  }
  const used = process.cpuUsage(cpu);
  const probed = probes.stop();
  await sleep(SETTLE_MS);
  const seconds = job.measureMs / 1000;
  const inTime = times.decided.filter((ms) => ms <= job.usefulMs);
  const offered = Math.round(job.perSecond * seconds);
  const refused = times.shed.length + times.expired.length + times.failed.length;
  return {
    offeredPerSecond: job.perSecond,
    goodPerSecond: Math.round(inTime.length / seconds),
    latePerSecond: Math.round((offered - inTime.length - refused) / seconds),
    shedPerSecond: Math.round(times.shed.length / seconds),
    expiredPerSecond: Math.round(times.expired.length / seconds),
    failed: times.failed.length,
    firstFailed,
    goodP50: share(inTime, 0.5),
    goodP99: share(inTime, 0.99),
    shedP99: share(times.shed, 0.99),
    ...probed,
    loaderBusy: (used.user + used.system) / 1e6 / ((job.warmUpMs + job.measureMs) / 1000),
  };
}

type Ask = (question: Question, arrivedAtNs: number) => void;
type Note = (kind: Kind, arrivedAtNs: number, text: Buffer) => void;

function kindOf(decided: boolean, body: Buffer): Kind {
  if (body.includes('deadline_exceeded')) return 'expired';
  if (body.includes('overloaded')) return 'shed';
  return decided ? 'decided' : 'failed';
}

type Arrival = { readonly question: Question; readonly arrivedAtNs: number };

/** A denied 503 and nothing else is how a check is shed: an RPC that is OK, with `overloaded`. A connection has no more streams than the server takes. */
async function overGrpc(job: OpenJob, note: Note): Promise<Ask> {
  const arrivedOf = new WeakMap<Question, number>();
  const waiting: Arrival[] = [];
  const pool: { readonly connection: LoadConnection; inFlight: number }[] = [];
  const send = (at: (typeof pool)[number], { question, arrivedAtNs }: Arrival): void => {
    // each its own object, so that its arrival is known where many ask the same
    const own: Question = { ...question };
    arrivedOf.set(own, arrivedAtNs);
    at.inFlight += 1;
    at.connection.ask(own);
  };
  const open = async (): Promise<void> => {
    const connection = await openGrpc(
      job.port,
      CHECK_PATH,
      (question, askedAtNs, effect, body) => {
        note(kindOf(effect !== 'unknown', body), arrivedOf.get(question) ?? askedAtNs, body);
        at.inFlight -= 1;
        const first = waiting.shift();
        if (first !== undefined) send(at, first);
      },
      fail,
    );
    const at = { connection, inFlight: 0 };
    pool.push(at);
  };
  for (let index = 0; index < job.connections; index += 1) await open();
  let next = 0;
  return (question, arrivedAtNs) => {
    next += 1;
    const at = pool[next % pool.length];
    if (at !== undefined && at.inFlight < STREAMS_MAX) send(at, { question, arrivedAtNs });
    else waiting.push({ question, arrivedAtNs });
  };
}

/** One question at a time on each connection; who finds none free waits here, as in a gateway. */
async function overHttp(job: OpenJob, note: Note): Promise<Ask> {
  const free: LoadConnection[] = [];
  const waiting: Arrival[] = [];
  const working = new Map<LoadConnection, number>();
  const send = (connection: LoadConnection, question: Question, arrivedAtNs: number): void => {
    working.set(connection, arrivedAtNs);
    connection.ask(question);
  };
  const open = async (): Promise<LoadConnection> => {
    const connection: LoadConnection = await openHttp(
      job.port,
      '/decide',
      '',
      (_question, sentAtNs, effect, body) => {
        note(kindOf(effect !== 'unknown', body), working.get(connection) ?? sentAtNs, body);
        const first = waiting.shift();
        if (first === undefined) free.push(connection);
        else send(connection, first.question, first.arrivedAtNs);
      },
      fail,
    );
    return connection;
  };
  for (let index = 0; index < job.connections; index += 1) free.push(await open());
  return (question, arrivedAtNs) => {
    // each in its turn: one on which nothing is asked for seconds is closed, by 408
    const connection = free.shift();
    if (connection === undefined) waiting.push({ question, arrivedAtNs });
    else send(connection, question, arrivedAtNs);
  };
}

function fail(why: string): void {
  console.error(why.slice(0, 300));
}

function share(values: number[], at: number): number {
  const sorted = values.sort((one, other) => one - other);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0) * 10) / 10;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
