import { isDeepStrictEqual } from 'node:util';
import type { Decision } from '../contract/decision.ts';
import type { Identity } from '../contract/identity.ts';
import type { Case } from './schema.ts';

/** What can be seen of a decision's record. */
export type SeenRecord = {
  readonly route: string;
  readonly subject: string | null;
  readonly client: string | null;
  /** `present`, or why the binding is not. */
  readonly binding: string | null;
  readonly error: string | null;
};

/** One member of `want` that is not so. */
export type Difference = { readonly what: string; readonly wanted: unknown; readonly got: unknown };

/** Holds a decision, and what was recorded of it, against what a case wants; a member that is left out is not looked at. */
export function differencesOf({ want }: Case, decision: Decision, record: SeenRecord): Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, got: unknown, wanted: unknown): void => {
    if (!isDeepStrictEqual(got, wanted)) found.push({ what, wanted, got });
  };
  /** Looked at only where the case says something of it. */
  const ifWanted = (what: string, wanted: unknown, got: () => unknown): void => {
    if (wanted !== undefined) compare(what, got(), wanted);
  };
  compare('effect', decision.effect, want.effect);
  compare(
    'reasons',
    decision.reasons.map(({ code }) => code),
    want.reasons,
  );
  compare('status', decision.response?.status, want.status);
  for (const [name, value] of Object.entries(want.headers ?? {}))
    compare(`headers.${name}`, decision.response?.headers[name] ?? null, value);
  ifWanted('binding', want.binding, () => record.binding);
  ifWanted('shown', want.shown, () => shownCodes(decision));
  if (want.step_up !== undefined) {
    const { kind, methods, scopes } = want.step_up;
    compare('step_up.kind', decision.stepUp?.kind, kind);
    ifWanted('step_up.methods', methods, () => decision.stepUp?.methods);
    ifWanted('step_up.scopes', scopes, () => decision.stepUp?.scopes);
  }
  ifWanted('assurance', want.assurance, () => decision.assurance);
  ifWanted('risk', want.risk, () => ({ score: decision.risk.score, factors: decision.risk.factors.map(({ code }) => code) }));
  for (const [name, value] of Object.entries(want.upstream ?? {})) {
    compare(`upstream.${name}`, decision.upstream.headersToSet[name] ?? null, value);
    compare(`upstream.${name} is removed`, decision.upstream.headersToRemove.includes(name), value === null);
  }
  const { route, subject, client, error } = want.record;
  compare('record.route', record.route, route);
  compare('record.error', record.error, error);
  ifWanted('record.subject', subject, () => record.subject);
  ifWanted('record.client', client, () => record.client);
  return found;
}

function shownCodes({ response }: Decision): unknown {
  const reasons = response?.body['reasons'] ?? [];
  if (!Array.isArray(reasons)) return reasons;
  return reasons.map((reason: unknown) => (typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : null));
}

/** What is seen of the binding. */
export function bindingSeen(identity: Identity | null): string | null {
  if (identity === null) return null;
  const { binding } = identity.signals;
  return binding.status === 'present' ? binding.status : binding.code;
}
