import type { Decision } from '../contract/decision.ts';
import { isJsonObject } from '../contract/json.ts';
import type { OwnAnswer } from './contracts/own-answer.ts';
import { isReserved } from './upstream.ts';
import { HEADER_NAME, type Verdict } from './verdict.ts';

/*
 * Headers that a policy would have set or removed, had it allowed the request. Where a request passes that was not allowed the client's own of these names
 * must not go upstream in their place.
 */

const NONE: readonly string[] = [];

/** By all verdicts, also by one that is undecided and has such headers beside it. */
export function upstreamNamesOf(verdicts: readonly Verdict[]): readonly string[] {
  let names: Set<string> | null = null;
  for (const { said } of verdicts) {
    const headers = said['upstream_headers'];
    if (!isJsonObject(headers)) continue;
    names ??= new Set();
    // null leaves a header out
    addNames(
      names,
      Object.keys(headers).filter((name) => headers[name] !== null),
    );
  }
  return names === null ? NONE : [...names];
}

/** By a policy that decides itself. */
export function ownUpstreamNames({ upstream, upstreamRemove }: OwnAnswer): readonly string[] {
  if (upstream.length === 0 && upstreamRemove.length === 0) return NONE;
  const names = new Set<string>();
  addNames(names, [...upstream.map(([name]) => name), ...upstreamRemove]);
  return [...names];
}

function addNames(names: Set<string>, said: readonly string[]): void {
  for (const name of said) {
    const lower = name.toLowerCase();
    if (HEADER_NAME.test(lower) && !isReserved(lower)) names.add(lower);
  }
}

/** A policy has a few names; the bound is for one that makes them up. */
const NAMES_MAX = 256;
const POLICIES_MAX = 64;

/**
 * The names by policy, over all its decisions: a rule that sets a header only where it allows says nothing of it where it refuses. They outlive a
 * revision, since an upstream goes on to trust what it trusted.
 */
export function createNamesSeen(): { note(decision: Decision): void; of(decision: Decision): readonly string[] } {
  const seen = new Map<string, Set<string>>();

  function add(policy: string, name: string): void {
    let names = seen.get(policy);
    if (names === undefined) {
      if (seen.size >= POLICIES_MAX) return;
      names = new Set();
      seen.set(policy, names);
    }
    if (names.size < NAMES_MAX) names.add(name);
  }

  return {
    note({ policy, upstream, upstreamNames }) {
      // ours are nearly all of them, and cheap to tell
      for (const name in upstream.headersToSet) if (!name.startsWith('x-countersign-') && !isReserved(name)) add(policy.name, name);
      if (upstreamNames !== undefined) for (const name of upstreamNames) add(policy.name, name);
    },
    of({ policy, upstreamNames = NONE }) {
      const names = seen.get(policy.name);
      return names === undefined ? upstreamNames : [...new Set([...names, ...upstreamNames])];
    },
  };
}
