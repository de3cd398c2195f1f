import { type Batch, type BatchPdp, isLast } from './contract/batch.ts';
import type { Decision } from './contract/decision.ts';
import type { Identity } from './contract/identity.ts';
import type { Gathered, Path, Progress } from './contract/path.ts';
import type { DecisionRequest } from './contract/request.ts';
import type { Awaitable } from './contract/stages.ts';

/** The same caller with what the gateway says of it in another question. */
export type Reassert = (request: DecisionRequest, identity: Identity) => Identity;

/**
 * Several questions about one caller: who it is, and what else is known, is found out once, by the first item, and so counts once, but for the
 * counters that are made of what each item asks about. Then every item is decided and recorded by itself, some
 * milliseconds of them in one turn of the event loop. What a policy collects for one item is there for those after it.
 */
export function createBatchPdp(path: Path, reassert: Reassert): BatchPdp {
  return {
    decideBatch({ items, stopAfter }) {
      const [first] = items;
      if (first === undefined) return [];
      const progress = path.begin();
      const failAll = (thrown: unknown): readonly Decision[] => failed(items, progress, stopAfter, thrown);
      try {
        const outcome = path.gather(first, progress, (known) =>
          decideFrom(items, 0, { progress, known, stopAfter, made: [], allowed: false, turnAtMs: progress.startedAtMs }),
        );
        return outcome instanceof Promise ? outcome.catch(failAll) : outcome;
      } catch (thrown) {
        return failAll(thrown);
      }
    },
  };

  function decideFrom(items: Batch['items'], start: number, state: BatchState): Awaitable<readonly Decision[]> {
    const { progress, stopAfter, made } = state;
    let { known, turnAtMs, allowed } = state;
    for (let at = start; at < items.length; at++) {
      const item = items[at];
      if (item === undefined) break;
      const own = at === 0 ? progress : furtherProgress(progress, allowed);
      turnAtMs ??= own.startedAtMs;
      if (own.startedAtMs - turnAtMs > TURN_MAX_MS) {
        return nextTurn().then(() => decideFrom(items, at, { ...state, known, allowed, turnAtMs: null }));
      }
      const decided = decideOne(item, at === 0, own, known);
      if (decided instanceof Promise) {
        return decided.then((decision) => {
          made.push(decision);
          if (isLast(decision, stopAfter)) return made;
          return decideFrom(items, at + 1, { ...state, known: learnt(known, own), allowed: allowed || isAllowed(decision), turnAtMs });
        });
      }
      made.push(decided);
      if (isLast(decided, stopAfter)) break;
      known = learnt(known, own);
      allowed ||= isAllowed(decided);
    }
    return made;
  }

  /** A failure of one item is its own. */
  function decideOne(item: DecisionRequest, first: boolean, own: Progress, known: Gathered): Awaitable<Decision> {
    try {
      const decided = first ? path.judge(item, own, known) : decideFurther(item, own, known);
      return decided instanceof Promise ? decided.catch((thrown: unknown) => path.fail(item, own, thrown)) : decided;
    } catch (thrown) {
      return path.fail(item, own, thrown);
    }
  }

  function decideFurther(item: DecisionRequest, own: Progress, known: Gathered): Awaitable<Decision> {
    const identity = reassert(item, known.identity);
    own.identity = identity;
    own.enrichment = known.enrichment;
    return path.further(item, own, { ...known, identity }, (mine) => path.judge(item, own, mine));
  }

  /** Nothing is known of the caller, for no item. */
  function failed(items: Batch['items'], progress: Progress, stopAfter: Batch['stopAfter'], thrown: unknown): readonly Decision[] {
    const made: Decision[] = [];
    for (const item of items) {
      const decision = path.fail(item, made.length === 0 ? progress : furtherProgress(progress, false), thrown);
      made.push(decision);
      if (isLast(decision, stopAfter)) break;
    }
    return made;
  }

  /** The stages that were walked once are in the first item's times alone. */
  function furtherProgress({ policy, route, routesMissing = false, identity, enrichment }: Progress, allowedBefore: boolean): Progress {
    return { ...path.begin(), policy, route, routesMissing, identity, enrichment, further: { allowedBefore } };
  }
}

type BatchState = {
  readonly progress: Progress;
  readonly known: Gathered;
  readonly stopAfter: Batch['stopAfter'];
  readonly made: Decision[];
  /** Whether one of those was allowed, and not only answered so in monitor mode. */
  readonly allowed: boolean;
  /** When the turn of the event loop began; null: now. */
  readonly turnAtMs: number | null;
};

/** Others are served in between where a batch takes longer. */
const TURN_MAX_MS = 5;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function isAllowed({ effect, would }: Decision): boolean {
  return effect === 'allow' && would === undefined;
}

function learnt(known: Gathered, { identity, enrichment }: Progress): Gathered {
  return { ...known, identity: identity ?? known.identity, enrichment: enrichment ?? known.enrichment };
}
