import type { Identity } from '../../src/contract/identity.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { Awaitable } from '../../src/contract/stages.ts';

/** One kind of evidence whose cost is measured; each has a file here and a line in `kinds.ts`. */
export type EvidenceKind = {
  /** Shown, and unique. */
  readonly name: string;
  /** What it should cost; a ratio that is missed ends the bench with 1, a time is only told. */
  readonly goal?: { readonly usBelow: number } | { readonly ratioMax: number };
  /** Makes keys, tokens and identifier; not measured. */
  readonly prepare: () => Promise<PreparedKind>;
};

/** A kind that is ready to be asked. */
export type PreparedKind = {
  readonly identify: (request: DecisionRequest) => Awaitable<Identity>;
  /**
   * A request with the evidence, made anew before each round: its texts must be such as a listener makes them (`fresh`), since the engine
   * remembers the hash of a text that was looked up once.
   */
  readonly question: (index: number) => DecisionRequest;
  /** The request that lacks only what is measured; without it, one without any evidence. */
  readonly without?: (index: number) => DecisionRequest;
  /** Whether the evidence was accepted; looked at for each answer. */
  readonly isRight: (identity: Identity) => boolean;
  /** Runs before each round, for what may be used once. */
  readonly beforeRound?: () => void;
  /** What any implementation has to do; the kind's cost is given as a multiple of it. */
  readonly bare?: (index: number) => boolean;
};

/** Questions of one round; kinds that are measured as never seen before need caches for fewer. */
export const QUESTIONS = 100;

/** The text as a string that nothing was computed of yet. */
export function fresh(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
