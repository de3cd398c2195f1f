// Measures the templates of threats: npm run measure:threats [-- seed]. Prints a table, and exits with 1 where a template, or all of them together, object to 1 % or more of
// the benign requests. VECTORS_DIR names the folder with the recorded sets; without it only generated traffic is measured. Assumptions: benign.ts, hostile.ts,
// recorded.ts.

import { lifeOf, START_MS, somePerson } from './benign.ts';
import { ATTACK_NAMES, attacksOf } from './hostile.ts';
import { generatedLists } from './listed.ts';
import { type Measured, measure } from './measure.ts';
import { createSpread } from './numbers.ts';
import { measuredPolicy } from './policy.ts';
import { createRandom } from './random.ts';
import { recordedSets } from './recorded.ts';
import { sorted } from './traffic.ts';

const SEED = Number(process.argv[2] ?? 20_260_105);
const CLIENTS = 120;
const ATTACKS = 40;
const FALSE_MAX = 0.01;
/** As configured by default. */
const LEARNING = { learningRequests: 100, learningHours: 24 };
/** The recorded sets last an hour at most. */
const SHORT_LEARNING = { learningRequests: 10, learningHours: 0 };

let failed = false;
const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)} %`);

function row(
  template: string,
  corpus: string,
  { requests, benign, attacks, detected, falsePositives, detectedByAny, falseByAny }: Measured,
): void {
  const any = template === 'any';
  const found = any ? detectedByAny : (detected.get(template) ?? 0);
  const wrong = any ? falseByAny : (falsePositives.get(template) ?? 0);
  if (benign > 0 && wrong / benign >= FALSE_MAX) failed = true;
  const ofAttacks = attacks === 0 ? '–' : `${found} of ${attacks} (${percent(found, attacks)})`;
  console.log(
    `| ${template} | ${corpus} | ${requests} | ${ofAttacks} | ${benign} | ${benign === 0 ? '–' : `${wrong} (${percent(wrong, benign)})`} |`,
  );
}

const policy = await measuredPolicy();
const generated = { policy, learning: LEARNING, lists: await generatedLists({ now: () => START_MS, monotonic: () => 0 }) };
const recorded = { policy, learning: SHORT_LEARNING };
const startedAt = performance.now();
console.log(`seed ${SEED}, ${CLIENTS} benign clients, ${ATTACKS} attacks a template, policy ${policy.revision}\n`);
console.log('| template | corpus | requests | attacks seen | benign requests | false positives |\n|---|---|---|---|---|---|');

const random = createRandom(SEED);
const events = sorted(Array.from({ length: CLIENTS }, (_, number) => lifeOf(random, somePerson(random, number))).flat());
const spread = createSpread();
const benign = measure({ name: 'generated', events }, { ...generated, onEach: spread.add });
for (const name of ATTACK_NAMES) row(name, 'generated, benign', benign);
row('any', 'generated, benign', benign);
for (const [index, name] of ATTACK_NAMES.entries()) {
  const attacked = { name, events: attacksOf(createRandom(SEED + 1 + index), name, ATTACKS) };
  const measured = measure(attacked, generated);
  row(name, 'generated, attacked', { ...measured, benign: 0 });
}
const vectors = process.env['VECTORS_DIR'];
if (vectors === undefined) console.log('\nVECTORS_DIR is not set: the recorded sets were not measured');
else {
  for (const corpus of recordedSets(vectors)) {
    // what an attacker does with a client's credential counts for the client: false positives are those of the benign part alone
    const quiet = measure({ ...corpus, events: corpus.events.filter(({ attack }) => attack === null) }, recorded);
    const measured = { ...measure(corpus, recorded), falsePositives: quiet.falsePositives, falseByAny: quiet.falseByAny };
    for (const name of ATTACK_NAMES) {
      if ((measured.detected.get(name) ?? 0) > 0 || (measured.falsePositives.get(name) ?? 0) > 0) row(name, corpus.name, measured);
    }
    row('any', corpus.name, measured);
  }
}
console.log('\nBenign numbers, generated:\n\n| number | requests | least | median | 99 % | 99.9 % | most |\n|---|---|---|---|---|---|---|');
for (const line of spread.lines()) console.log(line);
console.log(`\n${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
if (failed) {
  console.error(`\na template, or all of them together, object to ${FALSE_MAX * 100} % or more of the benign requests`);
  process.exitCode = 1;
}
