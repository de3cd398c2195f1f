import type { Reason, StepUp } from '../contract/decision.ts';

/* Parts of a decision that answers in JSON have in common. */

/** `details` only where the rule said some. */
export function reasonJson(reason: Reason): Record<string, unknown> {
  const said: Record<string, unknown> = { code: reason.code, effect: reason.effect, title: reason.title };
  if (Object.keys(reason.details).length > 0) said['details'] = reason.details;
  return said;
}

/** What is missing, without what the kind has no use for. */
export function stepUpJson(stepUp: StepUp): Record<string, unknown> {
  const said: Record<string, unknown> = { kind: stepUp.kind, methods: stepUp.methods };
  if (stepUp.acrValues.length > 0) said['acr_values'] = stepUp.acrValues;
  if (stepUp.maxAgeSeconds !== null) said['max_age_seconds'] = stepUp.maxAgeSeconds;
  if (stepUp.scopes.length > 0) said['scopes'] = stepUp.scopes;
  return said;
}
