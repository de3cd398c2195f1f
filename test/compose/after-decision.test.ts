import { expect, it } from 'vitest';
import { recordAndObserve } from '../../src/compose/after-decision.ts';
import { createMemoryLogger } from '../endpoints/fixtures.ts';
import { allowed } from '../record/records.ts';

it('an observer that fails is logged, and harms neither the record nor the others', () => {
  const logger = createMemoryLogger();
  const seen: string[] = [];
  const failing = {
    observe: () => {
      throw new Error('no');
    },
  };
  const recorder = recordAndObserve(
    { record: () => void seen.push('recorded') },
    [failing, null, { observe: () => void seen.push('observed') }],
    logger,
  );
  recorder.record(allowed);
  expect(seen).toEqual(['recorded', 'observed']);
  expect(logger.lines).toMatchObject([{ level: 'error', event: 'observe_failed' }]);
});
