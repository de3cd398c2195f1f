import { type Batch, type BatchPdp, isLast } from './contract/batch.ts';
import type { Decision } from './contract/decision.ts';
import type { Identity } from './contract/identity.ts';
import type { Gathered, Path, Progress } from './contract/path.ts';
import type { DecisionRequest } from './contract/request.ts';
import type { Awaitable } from './contract/stages.ts';

/** The same caller with what the gateway says of it in another question. */
export type Reassert = (request: DecisionRequest, identity: Identity) => Identity;

/**
 * Several questions about one caller: who it is, and what else is known, is found out once, by the first item, and so counts once. Then every item
 * is decided and recorded by itself. What a policy collects for one item is there for those after it.
 */
export function createBatchPdp(path: Path, reassert: Reassert): BatchPdp {
  return {
    decideBatch({ items, stopAfter }) {
      const [first] = items;
      if (first === undefined) return [];
      const progress = path.begin();
      const failAll = (thrown: unknown): readonly Decision[] => failed(items, progress, stopAfter, thrown);
      try {
        const outcome = path.gather(first, progress, (known) => decideFrom(items, 0, { progress, known, stopAfter, made: [] }));
        return outcome instanceof Promise ? outcome.catch(failAll) : outcome;
      } catch (thrown) {
        return failAll(thrown);
      }
    },
  };

  function decideFrom(items: Batch['items'], start: number, state: BatchState): Awaitable<readonly Decision[]> {
    const { progress, stopAfter, made } = state;
    let { known } = state;
    for (let at = start; at < items.length; at++) {
      const item = items[at];
      if (item === undefined) break;
      const own = at === 0 ? progress : furtherProgress(progress);
      const decided = decideOne(item, at === 0, own, known);
      if (decided instanceof Promise) {
        return decided.then((decision) => {
          made.push(decision);
          return isLast(decision, stopAfter) ? made : decideFrom(items, at + 1, { ...state, known: learnt(known, own) });
        });
      }
      made.push(decided);
      if (isLast(decided, stopAfter)) break;
      known = learnt(known, own);
    }
    return made;
  }

  /** A failure of one item is its own. */
  function decideOne(item: DecisionRequest, first: boolean, own: Progress, known: Gathered): Awaitable<Decision> {
    try {
      const identity = first ? known.identity : reassert(item, known.identity);
      own.identity = identity;
      const decided = path.judge(item, own, { ...known, identity });
      return decided instanceof Promise ? decided.catch((thrown: unknown) => path.fail(item, own, thrown)) : decided;
    } catch (thrown) {
      return path.fail(item, own, thrown);
    }
  }

  /** Nothing is known of the caller, for no item. */
  function failed(items: Batch['items'], progress: Progress, stopAfter: Batch['stopAfter'], thrown: unknown): readonly Decision[] {
    const made: Decision[] = [];
    for (const item of items) {
      const decision = path.fail(item, made.length === 0 ? progress : furtherProgress(progress), thrown);
      made.push(decision);
      if (isLast(decision, stopAfter)) break;
    }
    return made;
  }

  /** The stages that were walked once are in the first item's times alone. */
  function furtherProgress({ policy, route, routesMissing = false, identity, enrichment }: Progress): Progress {
    return { ...path.begin(), policy, route, routesMissing, identity, enrichment, further: true };
  }
}

type BatchState = {
  readonly progress: Progress;
  readonly known: Gathered;
  readonly stopAfter: Batch['stopAfter'];
  readonly made: Decision[];
};

function learnt(known: Gathered, { identity, enrichment }: Progress): Gathered {
  return { ...known, identity: identity ?? known.identity, enrichment: enrichment ?? known.enrichment };
}
