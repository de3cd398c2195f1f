import { type Builtin, BuiltinLimitError, type BuiltinTable } from './builtin.ts';
import { canonical, isArray, isObject, RegoSet, type RegoValue } from './value.ts';

/** Paths grow with the factorial of the nodes: what one decision may walk. */
const STEPS_MAX = 20_000;
/** Of one path: each step copies the path so far. */
const DEPTH_MAX = 500;

function verticesOf(value: RegoValue | undefined): readonly RegoValue[] {
  return isArray(value) ? value : value instanceof RegoSet ? value.items : [];
}

type Walk = { readonly edges: ReadonlyMap<string, readonly RegoValue[]>; readonly found: RegoValue[]; steps: number };

/** Follows every edge to a dead end, to what is no node, or to where it has been. */
function walk(state: Walk, node: RegoValue, path: readonly RegoValue[], reached: ReadonlySet<string>): void {
  if (path.length > DEPTH_MAX) throw new BuiltinLimitError(`more than ${DEPTH_MAX} nodes one after the other`);
  if (++state.steps > STEPS_MAX) throw new BuiltinLimitError(`more than ${STEPS_MAX} steps`);
  const name = canonical(node);
  const edges = state.edges.get(name);
  if (edges === undefined) {
    state.found.push(path);
    return;
  }
  const longer = [...path, node];
  if (edges.length === 0) {
    state.found.push(longer);
    return;
  }
  const seen = new Set([...reached, name]);
  for (const next of edges) {
    if (seen.has(canonical(next))) state.found.push(longer);
    else walk(state, next, longer, seen);
  }
}

const reachablePaths: Builtin = ([graph, initial]) => {
  if (!isObject(graph) || !(isArray(initial) || initial instanceof RegoSet)) return undefined;
  const edges = new Map([...graph].map(([node, targets]) => [canonical(node), verticesOf(targets)] as const));
  const state: Walk = { edges, found: [], steps: 0 };
  for (const node of verticesOf(initial)) {
    const name = canonical(node);
    const targets = edges.get(name);
    if (targets === undefined) continue;
    if (targets.length === 0) state.found.push([node]);
    for (const next of targets) walk(state, next, [node], new Set([name]));
  }
  return new RegoSet(state.found);
};

export const GRAPH: BuiltinTable = { 'graph.reachable_paths': reachablePaths };
