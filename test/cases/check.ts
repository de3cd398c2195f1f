import { expect } from 'vitest';
import { differencesOf, type SeenRecord } from '../../src/cases/differences.ts';
import type { Case } from '../../src/cases/schema.ts';
import type { Decision } from '../../src/contract/decision.ts';

/** Holds a decision, and what was recorded of it, against a case. */
export function checkCase(one: Case, decision: Decision, record: SeenRecord): void {
  expect(differencesOf(one, decision, record)).toEqual([]);
  if (one.want.effect === 'allow') expect(decision.response).toBeNull();
}
