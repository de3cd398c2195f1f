import type { Effect, Reason } from '../../contract/decision.ts';
import { CountersignError } from '../../contract/errors.ts';
import { NOTHING_TO_COLLECT } from '../collect.ts';
import type { Combined } from '../combine.ts';
import { ownUpstreamNames } from '../upstream-names.ts';
import type { OwnAnswer } from './own-answer.ts';

/** What a policy decided by itself, in the form that everything after the evaluation takes. */
export function ownCombined(effect: Effect, reasons: readonly Reason[], status: number | null, own: OwnAnswer): Combined {
  const upstreamNames = ownUpstreamNames(effect === 'allow' ? { ...own, upstream: [] } : own);
  return {
    effect,
    reasons,
    status,
    assuranceRequired: 0,
    risk: { score: 0, factors: [] },
    stepUp: null,
    obligations: [],
    responseHeaders: {},
    upstreamHeaders: {},
    limits: [],
    retryAfterSeconds: null,
    collect: NOTHING_TO_COLLECT,
    shadowLimits: [],
    verdicts: [],
    own,
    ...(upstreamNames.length === 0 ? {} : { upstreamNames }),
  };
}

/** The reason of a policy that gives none. */
export function ownReason(effect: Effect): Reason {
  return { code: `policy.${effect}`, effect, title: REASONS[effect], public: false, details: {} };
}

const REASONS: Readonly<Record<Effect, string>> = {
  allow: 'The policy allows this request',
  deny: 'The policy denies this request',
  step_up: 'The policy asks for stronger evidence',
};

/** The member that has the wrong form. */
export function invalidResult(field: string): CountersignError {
  return new CountersignError('policy_result_invalid', { field });
}
