import { attributeSourceOf, type CollectName, type Facts } from './contract/collect.ts';
import type { Decision } from './contract/decision.ts';
import { asCountersignError, CountersignError } from './contract/errors.ts';
import type { Gathered, Path, PdpParts, Progress } from './contract/path.ts';
import type { DecisionRequest } from './contract/request.ts';
import type { Route } from './contract/route.ts';
import type { Awaitable, Evaluated, Pdp } from './contract/stages.ts';

type Next = (facts: Facts) => Awaitable<Decision>;

/**
 * THE PATH of a request: select → identify → enrich → decide → record. It holds the order and the deadline, and no technique. A policy that
 * collects is evaluated once more with what its sources say, and then has to decide.
 * Stages that need not wait answer at once; only a stage that waits (a key fetch, a remote store) costs a timer.
 */
export function createPath({ policies, identifier, enricher, sources, recorder, monitor, proof, clock }: PdpParts): Path {
  function begin(): Progress {
    const atMs = clock.monotonic();
    return { policy: null, route: null, identity: null, enrichment: null, startedAtMs: atMs, identifiedAtMs: atMs, enrichedAtMs: atMs };
  }

  function gather<T>(request: DecisionRequest, progress: Progress, next: (known: Gathered) => Awaitable<T>): Awaitable<T> {
    const selected = policies.select(request);
    if ('refused' in selected) {
      progress.policy = selected.policy ?? null;
      progress.route = selected.policy?.routeOf(request) ?? null;
      progress.routesMissing = selected.routesMissing ?? false;
      throw new CountersignError(selected.refused);
    }
    progress.policy = selected;
    progress.route = selected.routeOf(request);
    return after(identifier.identify(request), request, (identity) => {
      progress.identity = identity;
      progress.identifiedAtMs = clock.monotonic();
      const policy = selected.forCaller?.(request, identity) ?? selected;
      const route = policy === selected && progress.route !== null ? progress.route : policy.routeOf(request);
      progress.policy = policy;
      progress.route = route;
      return after(enricher.enrich(request, identity, route), request, (enrichment) => {
        progress.enrichment = enrichment;
        progress.enrichedAtMs = clock.monotonic();
        return next({ policy, route, identity, enrichment });
      });
    });
  }

  function further<T>(
    request: DecisionRequest,
    progress: Progress,
    known: Gathered,
    next: (known: Gathered) => Awaitable<T>,
  ): Awaitable<T> {
    const { identity, route, enrichment: before } = known;
    return after(enricher.enrichFurther(request, identity, route, before), request, (enrichment) => {
      if (enrichment === before) return next(known);
      progress.enrichment = enrichment;
      progress.enrichedAtMs = clock.monotonic();
      return next({ ...known, enrichment });
    });
  }

  function judge(request: DecisionRequest, progress: Progress, { policy, route, identity, enrichment }: Gathered): Awaitable<Decision> {
    if (clock.monotonic() > request.deadlineAtMs) throw new CountersignError('deadline_exceeded');
    const evaluated = policy.decide(request, identity, enrichment, route);
    if (evaluated.collect === undefined) return conclude(request, progress, evaluated);
    return collect(request, route, evaluated.collect, { identity, enrichment }, (facts) => {
      progress.identity = facts.identity;
      progress.enrichment = facts.enrichment;
      if (clock.monotonic() > request.deadlineAtMs) throw new CountersignError('deadline_exceeded');
      // one that collects again has a deny `policy_collect_repeated` beside it
      return conclude(request, progress, policy.decide(request, facts.identity, facts.enrichment, route));
    });
  }

  /** Asks about the identity first, since the other questions are made from it, and then all others at once. */
  function collect(request: DecisionRequest, route: Route, names: readonly CollectName[], facts: Facts, next: Next): Awaitable<Decision> {
    const { introspection, attributes = null } = sources;
    const wanted = names.map(attributeSourceOf).filter((name) => name !== null);
    if (!wanted.every((name) => attributes?.knows(name))) throw new CountersignError('policy_collect_unknown', { field: 'collect' });
    const identified = names.includes('introspection') ? introspection(request, facts) : facts;
    return after(identified, request, (known) => {
      if (attributes === null || wanted.length === 0) return next(known);
      return after(attributes.collect(wanted, request, known, route), request, next);
    });
  }

  /** Goes on with a value at once, or with a promise's value if it comes before the deadline. */
  function after<T, R>(value: Awaitable<T>, request: DecisionRequest, next: (known: T) => Awaitable<R>): Awaitable<R> {
    return value instanceof Promise ? before(request.deadlineAtMs - clock.monotonic(), value).then(next) : next(value);
  }

  function fail(request: DecisionRequest, progress: Progress, thrown: unknown): Decision {
    const error = asCountersignError(thrown, 'internal_error');
    const decision = policies.failed(request, error.code, progress.policy);
    return conclude(request, progress, { decision, input: () => null, evaluationMs: 0, slow: false, cause: error.cause ?? error });
  }

  function conclude(request: DecisionRequest, progress: Progress, { decision: made, input, slow, cause, trace }: Evaluated): Decision {
    const refused = recorder.refuses?.() ?? null;
    const decision = refused === null ? made : policies.failed(request, refused, progress.policy);
    // before the time is taken and the record made: without its proof nothing is allowed
    const proven = proof === undefined || decision.effect !== 'allow' ? decision : proof.attach(request, decision, progress);
    const endedAtMs = clock.monotonic();
    const { startedAtMs, identifiedAtMs, enrichedAtMs, route, identity, enrichment, further } = progress;
    const times = {
      identify: identifiedAtMs - startedAtMs,
      enrich: Math.max(0, enrichedAtMs - identifiedAtMs),
      decide: endedAtMs - Math.max(identifiedAtMs, enrichedAtMs),
      total: endedAtMs - startedAtMs,
    };
    // what must be recorded and cannot be does not pass, whoever would let it
    const passed = refused === null ? (monitor?.answer(request, decision, progress) ?? null) : null;
    const monitored = passed === null ? null : { monitoredBy: passed.by };
    const logRules = progress.policy?.logRules;
    recorder.record({ request, decision, route, identity, enrichment, times, slow, input, cause, trace, further, logRules, ...monitored });
    return passed?.decision ?? proven;
  }

  return { begin, gather, further, judge, fail };
}

/** One question at a time. */
export function createPdp(parts: PdpParts): Pdp {
  const path = createPath(parts);
  return {
    decide(request) {
      const progress = path.begin();
      try {
        const outcome = path.gather(request, progress, (known) => path.judge(request, progress, known));
        return outcome instanceof Promise ? outcome.catch((thrown: unknown) => path.fail(request, progress, thrown)) : outcome;
      } catch (thrown) {
        return path.fail(request, progress, thrown);
      }
    },
  };
}

/** Settles as the promise does, or rejects with `deadline_exceeded` after `remainingMs`; a later rejection is taken care of. */
function before<T>(remainingMs: number, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new CountersignError('deadline_exceeded')), Math.max(0, remainingMs));
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
