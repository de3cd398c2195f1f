import { COLLECT_NAMES, type CollectName } from '../contract/collect.ts';
import { CountersignError } from '../contract/errors.ts';

export const NOTHING_TO_COLLECT: readonly CollectName[] = [];

/**
 * The sources that rules ask for, each once, in the order of the closed list.
 * @throws CountersignError policy_collect_unknown: a name that is not understood must not count as nothing
 */
export function addSources(known: readonly CollectName[], names: readonly string[]): readonly CollectName[] {
  const foreign = names.find((name) => !COLLECT_NAMES.some((one) => one === name));
  if (foreign !== undefined) throw new CountersignError('policy_collect_unknown', { field: 'collect' });
  return COLLECT_NAMES.filter((name) => known.includes(name) || names.includes(name));
}
