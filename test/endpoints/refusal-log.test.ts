import { expect, test } from 'vitest';
import { createRefusalLog } from '../../src/endpoints/refusal-log.ts';
import { createMemoryLogger } from './fixtures.ts';

test('a flood of refusals is one line a second and code, which says how many there were', () => {
  const logger = createMemoryLogger();
  let nowMs = 0;
  const tell = createRefusalLog(logger, { monotonic: () => nowMs });
  for (let n = 0; n < 1000; n++) tell('check_refused', 'pep_unauthenticated', { n });
  tell('check_refused', 'message_too_large', { n: 0 });
  nowMs = 999;
  tell('check_refused', 'pep_unauthenticated', { n: 1000 });
  nowMs = 1000;
  tell('check_refused', 'pep_unauthenticated', { n: 1001 });
  expect(logger.lines.map(({ fields }) => fields)).toEqual([
    { code: 'pep_unauthenticated', n: 0, untold: 0 },
    { code: 'message_too_large', n: 0, untold: 0 },
    { code: 'pep_unauthenticated', n: 1001, untold: 1000 },
  ]);
});
