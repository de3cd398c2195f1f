import type { DecisionAdmin } from '../../../src/endpoints/admin/decisions.ts';
import { receiveDecide } from '../../../src/endpoints/decide/receive.ts';
import { decideAnswer } from '../../../src/endpoints/decide/respond.ts';

/** Keeps no decision, and cannot simulate any. */
export const NO_DECISIONS: DecisionAdmin = {
  find: () => null,
  pepNamed: () => null,
  simulate: () => Promise.reject(new TypeError('nothing here')),
  receive: receiveDecide,
  answer: decideAnswer,
};
