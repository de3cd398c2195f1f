import type { Effect, Question } from './questions.ts';

/** Called for each answer, with the slot's question, the moment it was sent and what came. */
export type OnAnswer = (question: Question, sentAtNs: number, effect: Effect | 'unknown', body: Buffer) => void;

/** One connection that keeps questions in flight; `next` gives the question to send, or null to let the flight end. */
export interface LoadConnection {
  /** Puts one more question in flight. */
  ask(question: Question): void;
  close(): void;
}

/** Nanoseconds on the monotonic clock as a plain number: good for 104 days. */
export function nowNs(): number {
  return performance.now() * 1e6;
}
