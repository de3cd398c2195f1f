import { median } from '../measure.ts';
import { type HostileCase, USUAL_SIZES } from './case.ts';
import { certificateCases } from './certificates.ts';
import { requestCases } from './requests.ts';
import { tokenCases } from './tokens.ts';

/* Hostile input of twice the size must not take three times as long: what is quadratic takes four times. */

const RATIO_MAX = 3;
const SAMPLES = 20;
/** One sample lasts about so long, by repeating what is quick. */
const SAMPLE_US = 300;
/** A median that is too large may be other work on the machine: it has to be so each time, and so must the quickest samples. */
const ATTEMPTS = 3;
/** Calls of each before anything is measured. */
const WARM_UP_CALLS = 10;

type Measured = { readonly smallUs: number; readonly largeUs: number; readonly ratio: number; readonly quickestRatio: number };

export const HOSTILE_CASES: readonly HostileCase[] = [...requestCases, ...tokenCases, ...certificateCases];

/** Measures every parser and prints one line for each, of its worst input; gives the number of inputs whose ratio is too large. */
export async function reportHostile(cases: readonly HostileCase[] = HOSTILE_CASES): Promise<number> {
  const byParser = Map.groupBy(cases, ({ parser }) => parser);
  let broken = 0;
  for (const [parser, inputs] of byParser) {
    const measured: [HostileCase, Measured][] = [];
    for (const one of inputs) measured.push([one, await measureCase(one)]);
    const failed = measured.filter(([, one]) => isBroken(one));
    broken += failed.length;
    const [worst] = measured.toSorted(([, one], [, other]) => other.ratio - one.ratio);
    const [slowest] = measured.toSorted(([, one], [, other]) => other.largeUs - one.largeUs);
    if (worst === undefined || slowest === undefined) continue;
    console.log(
      `hostile, ${parser}: ${lineOf(worst)} is the worst of ${inputs.length}; slowest ${slowest[1].largeUs.toFixed(0)} us, ${slowest[0].input}`,
    );
    for (const one of failed) console.error(`hostile, ${parser}: ${lineOf(one)}, which has to be below ${RATIO_MAX}`);
  }
  return broken;
}

function isBroken({ ratio, quickestRatio }: Measured): boolean {
  return ratio >= RATIO_MAX && quickestRatio >= RATIO_MAX;
}

function lineOf([{ input, sizes = USUAL_SIZES }, { ratio, smallUs, largeUs }]: [HostileCase, Measured]): string {
  return `${ratio.toFixed(2)}x for ${sizes[1] / 1024} KiB (${smallUs.toFixed(0)} to ${largeUs.toFixed(0)} us, ${input})`;
}

async function measureCase(one: HostileCase): Promise<Measured> {
  const [smallBytes, largeBytes] = one.sizes ?? USUAL_SIZES;
  const [small, large] = [one.make(smallBytes), one.make(largeBytes)];
  await timeOf(large, WARM_UP_CALLS);
  const repeats = Math.max(1, Math.min(1000, Math.ceil(SAMPLE_US / Math.max(0.1, await timeOf(small, WARM_UP_CALLS)))));
  let best: Measured | null = null;
  for (let attempt = 0; attempt < ATTEMPTS && (best === null || isBroken(best)); attempt += 1) {
    const measured = await compare(small, large, repeats);
    if (best === null || measured.ratio < best.ratio) best = measured;
  }
  if (best === null) throw new Error('nothing measured');
  return best;
}

/** One of each in turn, so that noise hits both. */
async function compare(small: () => unknown, large: () => unknown, repeats: number): Promise<Measured> {
  const [smalls, larges]: [number[], number[]] = [[], []];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    smalls.push(await timeOf(small, repeats));
    larges.push(await timeOf(large, repeats));
  }
  const [smallUs, largeUs] = [median(smalls), median(larges)];
  return { smallUs, largeUs, ratio: largeUs / smallUs, quickestRatio: Math.min(...larges) / Math.min(...smalls) };
}

async function timeOf(parse: () => unknown, repeats: number): Promise<number> {
  const begun = process.hrtime.bigint();
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const result = parse();
    if (result instanceof Promise) await result;
  }
  return Number(process.hrtime.bigint() - begun) / 1000 / repeats;
}
