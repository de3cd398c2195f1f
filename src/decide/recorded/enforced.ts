import { isJsonObject, type JsonValue } from '../../contract/json.ts';
import type { Route } from '../../contract/route.ts';
import { mayBeCritical } from '../monitor.ts';
import type { RecordedDecision } from './recorded-decision.ts';

/**
 * Makes, once, what says whether a gateway would do as the new policy decides, or let the request pass whatever it says (monitor mode). A gateway
 * that is not enforced is known by records that passed for it; a catalogue says the rest, as the service takes it.
 * @param catalogue `countersign.routes` of the new policy
 */
export function createEnforcement(catalogue: JsonValue | undefined): (record: RecordedDecision, route: Route | null) => boolean {
  const passing = new Set<string>();
  for (const [id, entry] of Object.entries(isJsonObject(catalogue) ? catalogue : {})) {
    if (isJsonObject(entry) && entry['enforce'] === false) passing.add(id);
  }
  return ({ monitoredBy, route: before }, route) => {
    const now = route ?? before;
    if (monitoredBy !== 'pep') return now?.status !== 'matched' || !passing.has(now.id);
    // where one passed that may be critical, the configuration lets all of them pass
    const forced = before !== null && mayBeCritical(before);
    return !forced && now !== null && mayBeCritical(now);
  };
}
