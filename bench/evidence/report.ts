import { EVIDENCE_KINDS } from './kinds.ts';
import { type EvidenceCost, measureEvidence } from './measure.ts';

/** Fewer rounds than this say what a kind costs about, and not whether a ratio holds. */
const ROUNDS_JUDGED_MIN = 50;

/** Measures and prints every kind of evidence; gives the number of ratios that are missed. */
export async function reportEvidence(rounds: number): Promise<number> {
  const { anonymousUs, costs } = await measureEvidence(EVIDENCE_KINDS, rounds);
  console.log(`evidence, none: ${anonymousUs.toFixed(2)} us`);
  for (const cost of costs) console.log(`evidence, ${lineOf(cost)}`);
  return rounds < ROUNDS_JUDGED_MIN ? 0 : costs.filter((cost) => missesRatio(cost)).length;
}

function lineOf(cost: EvidenceCost): string {
  const { kind, us, bareUs, ratio, quietRatio } = cost;
  const bare =
    ratio === null || bareUs === null
      ? ''
      : `, ${ratio.toFixed(2)}x its bare verification of ${bareUs.toFixed(1)} us, ${(quietRatio ?? ratio).toFixed(2)}x in its quickest quarter`;
  return `${kind.name}: ${us.toFixed(2)} us${bare}${goalOf(cost)}`;
}

function goalOf(cost: EvidenceCost): string {
  const { goal } = cost.kind;
  if (goal === undefined) return '';
  if ('ratioMax' in goal) return ` (goal: at most ${goal.ratioMax}x, ${missesRatio(cost) ? 'missed' : 'met'})`;
  return ` (goal: below ${goal.usBelow} us, ${cost.us < goal.usBelow ? 'met' : 'missed'})`;
}

/** The median alone may be other work on the machine. */
function missesRatio({ kind: { goal }, ratio, quietRatio }: EvidenceCost): boolean {
  if (goal === undefined || !('ratioMax' in goal)) return false;
  return ratio === null || quietRatio === null || (ratio > goal.ratioMax && quietRatio > goal.ratioMax);
}
