// Runs steps one after another; one that fails hides only those that build on it.
import { Stop } from '../run.mjs';
import { add, closingLine, noTotals } from '../totals.mjs';

/**
 * `totals` are there where a step is a test run; any other step counts as one.
 * @typedef {{ ok: boolean, note?: string, totals?: import('../totals.mjs').Totals }} Outcome
 * @typedef {{ id: string, title: string, needs?: readonly string[], run: () => Promise<Outcome> }} Step
 * @typedef {{ step: Step, outcome: Outcome, seconds: number }} Done
 */

/** @type {(ok: boolean) => import('../totals.mjs').Totals} */
const one = (ok) => (ok ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 });

/**
 * @param {Step} step
 * @param {ReadonlySet<string>} failed ids of the steps that failed
 * @returns {Promise<Outcome>}
 */
async function outcomeOf(step, failed) {
  const missing = (step.needs ?? []).filter((id) => failed.has(id));
  if (missing.length > 0) return { ok: false, note: `not run, since this failed: ${missing.join(', ')}` };
  try {
    return await step.run();
  } catch (error) {
    const text = error instanceof Stop ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.error(text);
    return { ok: false, note: text.split('\n')[0] ?? '' };
  }
}

/**
 * @param {readonly Step[]} steps
 * @returns {Promise<boolean>} true where everything passed
 */
export async function runSteps(steps) {
  /** @type {Done[]} */
  const done = [];
  /** @type {Set<string>} */
  const failed = new Set();
  for (const step of steps) {
    console.log(`\n── ${step.title}`);
    const startedAt = Date.now();
    const outcome = await outcomeOf(step, failed);
    if (!outcome.ok) failed.add(step.id);
    done.push({ step, outcome, seconds: (Date.now() - startedAt) / 1000 });
  }
  print(done);
  return failed.size === 0;
}

/** @param {readonly Done[]} done */
function print(done) {
  console.log('\n── Summary (a step counts as one, a test run as its tests)');
  let totals = noTotals();
  for (const { step, outcome, seconds } of done) {
    totals = add(totals, outcome.totals ?? one(outcome.ok));
    const counted = outcome.totals === undefined ? '' : closingLine(outcome.totals);
    const rest = [counted, outcome.note ?? ''].filter((text) => text !== '').join('; ');
    console.log(`${outcome.ok ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(6)} s  ${step.title}${rest === '' ? '' : `: ${rest}`}`);
  }
  console.log(`\n${closingLine(totals)}`);
}
