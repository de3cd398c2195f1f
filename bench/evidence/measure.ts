import type { DecisionRequest } from '../../src/contract/request.ts';
import { median } from '../measure.ts';
import { identifierOver, requestWith } from './identifier.ts';
import { type EvidenceKind, type PreparedKind, QUESTIONS } from './kind.ts';

/* The marginal cost of evidence: a round asks with it, without it, and does the bare work, one right after the other, so that noise hits all. */

/** Of one kind; microseconds a question, medians over the rounds. */
export type EvidenceCost = {
  readonly kind: EvidenceKind;
  /** With the evidence less without it. */
  readonly us: number;
  readonly bareUs: number | null;
  /** The median of each round's own ratio. */
  readonly ratio: number | null;
  /** Of the quickest quarter of the rounds, where other work on the machine is least in the way. */
  readonly quietRatio: number | null;
};

type Samples = { readonly costs: number[]; readonly bares: number[]; readonly ratios: number[] };

/** Until the just-in-time compiler has settled. */
const WARM_UP_ROUNDS = 20;

/** Measures all kinds in turn, round after round. Fails where evidence is not accepted. */
export async function measureEvidence(
  kinds: readonly EvidenceKind[],
  rounds: number,
): Promise<{ readonly anonymousUs: number; readonly costs: readonly EvidenceCost[] }> {
  const nobody = await identifierOver([]);
  const anonymous: PreparedKind = {
    identify: nobody.identify,
    question: () => requestWith({}),
    isRight: ({ evidence }) => evidence.assurance === 0,
  };
  const prepared: { readonly kind: EvidenceKind; readonly ready: PreparedKind }[] = [];
  // one after the other: an identifier waits for its first keys and lists for a second at most, whoever keeps the thread busy meanwhile
  for (const kind of kinds) prepared.push({ kind, ready: await kind.prepare() });
  const samples = prepared.map((): Samples => ({ costs: [], bares: [], ratios: [] }));
  const alone: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const without = await timeQuestions(anonymous, anonymous.question);
    if (round >= 0) alone.push(without);
    for (const [index, { kind, ready }] of prepared.entries()) {
      const sample = await measureOnce(kind, ready, round % 2 === 0);
      if (round >= 0) keep(samples[index], sample);
    }
  }
  const costs = prepared.map(({ kind }, index): EvidenceCost => {
    const { costs: of, bares, ratios } = samples[index] ?? { costs: [], bares: [], ratios: [] };
    const some = bares.length > 0;
    return {
      kind,
      us: median(of),
      bareUs: some ? median(bares) : null,
      ratio: some ? median(ratios) : null,
      quietRatio: some ? quartile(of) / quartile(bares) : null,
    };
  });
  return { anonymousUs: median(alone), costs };
}

function quartile(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0;
}

type Sample = { readonly cost: number; readonly bare: number | null };

/** One round of one kind; which half comes first changes from round to round. */
async function measureOnce(kind: EvidenceKind, ready: PreparedKind, evidenceFirst: boolean): Promise<Sample> {
  try {
    ready.beforeRound?.();
    const without = ready.without ?? (() => requestWith({}));
    const baseline = { ...ready, ...(ready.without === undefined ? { isRight: () => true } : {}) };
    const early = evidenceFirst ? null : await timeQuestions(baseline, without);
    const bareEarly = evidenceFirst || ready.bare === undefined ? null : timeBare(ready.bare);
    const cost = await timeQuestions(ready, ready.question);
    const bare = bareEarly ?? (ready.bare === undefined ? null : timeBare(ready.bare));
    return { cost: cost - (early ?? (await timeQuestions(baseline, without))), bare };
  } catch (cause) {
    throw new Error(`${kind.name}: measuring failed`, { cause });
  }
}

function keep(samples: Samples | undefined, { cost, bare }: Sample): void {
  samples?.costs.push(cost);
  if (bare === null) return;
  samples?.bares.push(bare);
  samples?.ratios.push(cost / bare);
}

async function timeQuestions({ identify, isRight }: PreparedKind, question: (index: number) => DecisionRequest): Promise<number> {
  const requests = Array.from({ length: QUESTIONS }, (_, index) => question(index));
  const begun = process.hrtime.bigint();
  for (const request of requests) {
    const answer = identify(request);
    if (!isRight(answer instanceof Promise ? await answer : answer)) throw new Error('the evidence was not judged as it should');
  }
  return Number(process.hrtime.bigint() - begun) / 1000 / QUESTIONS;
}

function timeBare(bare: (index: number) => boolean): number {
  const begun = process.hrtime.bigint();
  for (let index = 0; index < QUESTIONS; index += 1) if (!bare(index)) throw new Error('the bare work failed');
  return Number(process.hrtime.bigint() - begun) / 1000 / QUESTIONS;
}
