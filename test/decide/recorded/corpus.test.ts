import { beforeAll, describe, expect, it } from 'vitest';
import type { ActivePolicy } from '../../../src/contract/stages.ts';
import type { RecordedPolicy } from '../../../src/decide/recorded/recorded-decision.ts';
import { openRecorded } from '../../../src/decide/recorded/recorded-policy.ts';
import { parseLine } from '../../../src/replay/parse-line.ts';
import { loadCases } from '../../cases/load.ts';
import { lineOfCase } from '../../replay/recorded.ts';
import { editBundle } from '../bundles.ts';
import { baseBundle, createTestPolicies, ENTRYPOINT } from '../fixtures.ts';

/* Decide, record, replay: by the same revision every case of the corpus comes to what it came to. */

let policy: ActivePolicy;
let recorded: RecordedPolicy;
beforeAll(async () => {
  const bundle = await baseBundle();
  policy = await createTestPolicies().activate('default', bundle);
  recorded = await openRecorded(bundle, { name: 'default', contract: 'rules', entrypoint: ENTRYPOINT, memoryPagesMax: 512 });
});

const cases = loadCases().filter(({ levels }) => levels.includes('wasm'));

describe.each(['full', 'referenced'] as const)('records with input %s', (mode) => {
  it.each(cases.map((one) => [`${one.file}: ${one.name}`, one] as const))('%s', (_name, one) => {
    const { effect, reasons, status, ...line } = lineOfCase(policy, one, mode);
    const parsed = parseLine(Buffer.from(JSON.stringify({ ...line, effect, reasons, status })));
    if (parsed.kind !== 'decision') throw new Error('no record');
    expect(recorded.decide(parsed.record)).toEqual({ decided: true, effect, reasons, status, enforced: true, notReevaluated: [] });
  });
});

describe('by a bundle that does not say what it reads', () => {
  it('nothing is missing in a full record: what is hidden in it is all that stands against it', async () => {
    const plain = await editBundle(await baseBundle(), (files) =>
      files.set('.manifest', JSON.stringify({ ...JSON.parse(String(files.get('.manifest'))), metadata: {} })),
    );
    const reader = await openRecorded(plain, { name: 'default', contract: 'rules', entrypoint: ENTRYPOINT, memoryPagesMax: 512 });
    const told = { decided: 0, hidden: 0 };
    for (const one of cases) {
      const line = lineOfCase(policy, one, 'full');
      const parsed = parseLine(Buffer.from(JSON.stringify(line)));
      const now = parsed.kind === 'decision' ? reader.decide(parsed.record) : expect.fail();
      if (now.decided) expect([now.effect, now.reasons, now.status], one.name).toEqual([line.effect, line.reasons, line.status]);
      else expect(now.why, one.name).toBe('hidden');
      told[now.decided ? 'decided' : 'hidden']++;
    }
    expect(told.decided).toBeGreaterThan(told.hidden);
  });
});
