import type { Reason } from '../contract/decision.ts';
import type { PolicyException, UsedException } from '../contract/exceptions.ts';
import type { RuleFacts, Verdict } from './verdict.ts';

/*
 * Exceptions are laid on in the host, between the verdicts and their combination: no rule can forget them, and no rule sees them, so that a
 * bundle can neither grant itself one nor be written around one.
 */

export type Exempted = { readonly verdicts: readonly Verdict[]; readonly used: readonly UsedException[] };

/**
 * Takes back what the named rules say against a caller. A deny or a step_up becomes `clear`; a step_up that would grant once it is met becomes an
 * `allow`, since what it asks for is what the exception waives. What could not be decided (undecided, or a status of 5xx) stays, and so does a rule
 * whose METADATA says `custom.exceptions: false`.
 */
export function exempt(
  verdicts: readonly Verdict[],
  exceptions: readonly PolicyException[],
  rules: ReadonlyMap<string, RuleFacts>,
): Exempted {
  const lifted = new Map<PolicyException, string[]>();
  const left = verdicts.map((verdict) => {
    const exception = isOpposed(verdict, rules) ? exceptions.find((one) => one.rules.includes(verdict.code)) : undefined;
    if (exception === undefined) return verdict;
    lifted.set(exception, [...(lifted.get(exception) ?? []), verdict.code]);
    const effect = verdict.effect === 'step_up' && verdict.details.grants ? ('allow' as const) : ('clear' as const);
    return { ...verdict, effect, said: { ...verdict.said, exempted_from: verdict.effect, exempted_by: exception.id } };
  });
  const used = [...lifted].map(([{ id, owner, reason, endsAt }, codes]) => ({ id, owner, reason, endsAt, rules: codes }));
  return { verdicts: left, used };
}

function isOpposed({ code, effect, details }: Verdict, rules: ReadonlyMap<string, RuleFacts>): boolean {
  const facts = rules.get(code);
  if (facts?.exceptions === false || (effect !== 'deny' && effect !== 'step_up')) return false;
  return (details.status ?? facts?.status ?? 403) < 500;
}

/** Beside the reasons of an allow, so that nobody takes it for an ordinary one. */
export function exceptionReason(used: readonly UsedException[]): Reason {
  const details = { exceptions: used.map(({ id, owner, rules }) => ({ id, owner, rules })) };
  return { code: 'exception', effect: 'allow', title: 'A time-boxed exception took the verdicts of rules back', public: false, details };
}
