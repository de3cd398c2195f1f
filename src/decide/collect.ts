import { attributeSourceOf, COLLECT_NAMES, type CollectName } from '../contract/collect.ts';
import { CountersignError } from '../contract/errors.ts';

export const NOTHING_TO_COLLECT: readonly CollectName[] = [];

/** Whether one of that name is configured is judged where the sources are. */
const ATTRIBUTE_SOURCE = /^sources\.[a-z0-9][a-z0-9_-]{0,63}$/;

/**
 * The sources that rules ask for, each once, in the order of the closed list, and then those of attributes by name.
 * @throws CountersignError policy_collect_unknown: a name that is not understood must not count as nothing
 */
export function addSources(known: readonly CollectName[], names: readonly string[]): readonly CollectName[] {
  if (!names.every(isCollectName)) throw new CountersignError('policy_collect_unknown', { field: 'collect' });
  const wanted: ReadonlySet<CollectName> = new Set([...known, ...names]);
  const attributes = [...wanted].filter((name) => attributeSourceOf(name) !== null).sort();
  return [...COLLECT_NAMES.filter((name) => wanted.has(name)), ...attributes];
}

function isCollectName(name: string): name is CollectName {
  return COLLECT_NAMES.some((one) => one === name) || ATTRIBUTE_SOURCE.test(name);
}
