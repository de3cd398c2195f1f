import { expect } from 'vitest';
import type { Decision } from '../../src/contract/decision.ts';
import type { Identity } from '../../src/contract/identity.ts';
import type { Case } from './schema.ts';

/** What a level can see of the record. */
export type SeenRecord = {
  readonly route: string;
  readonly subject: string | null;
  readonly client: string | null;
  /** `present`, or why the binding is not. */
  readonly binding: string | null;
  readonly error: string | null;
};

/** Holds a decision, and what was recorded of it, against a case. */
export function checkCase({ want }: Case, decision: Decision, record: SeenRecord): void {
  expect({ effect: decision.effect, reasons: decision.reasons.map(({ code }) => code) }).toEqual({
    effect: want.effect,
    reasons: want.reasons,
  });
  expect(decision.response?.status).toBe(want.status);
  if (want.effect === 'allow') expect(decision.response).toBeNull();
  for (const [name, value] of Object.entries(want.headers ?? {})) expect(decision.response?.headers[name] ?? null, name).toBe(value);
  if (want.binding !== undefined) expect(record.binding).toBe(want.binding);
  if (want.shown !== undefined) expect(shownCodes(decision)).toEqual(want.shown);
  if (want.step_up !== undefined) {
    const { kind, methods, scopes } = want.step_up;
    expect(decision.stepUp?.kind).toBe(kind);
    if (methods !== undefined) expect(decision.stepUp?.methods).toEqual(methods);
    if (scopes !== undefined) expect(decision.stepUp?.scopes).toEqual(scopes);
  }
  if (want.assurance !== undefined) expect(decision.assurance).toEqual(want.assurance);
  if (want.risk !== undefined) {
    expect({ score: decision.risk.score, factors: decision.risk.factors.map(({ code }) => code) }).toEqual(want.risk);
  }
  for (const [name, value] of Object.entries(want.upstream ?? {})) {
    expect(decision.upstream.headersToSet[name] ?? null, name).toBe(value);
    expect(decision.upstream.headersToRemove.includes(name), name).toBe(value === null);
  }
  const { route, subject, client, error } = want.record;
  expect(record.route).toBe(route);
  expect(record.error).toBe(error);
  if (subject !== undefined) expect(record.subject).toBe(subject);
  if (client !== undefined) expect(record.client).toBe(client);
}

function shownCodes({ response }: Decision): unknown[] {
  const reasons = response?.body['reasons'] ?? [];
  if (!Array.isArray(reasons)) throw new Error('reasons of the body are no list');
  return reasons.map((reason: unknown) => (typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : null));
}

/** What a level sees of the binding. */
export function bindingSeen(identity: Identity | null): string | null {
  if (identity === null) return null;
  const { binding } = identity.signals;
  return binding.status === 'present' ? binding.status : binding.code;
}
