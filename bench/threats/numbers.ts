import type { BehaviourValue } from '../../src/contract/behaviour.ts';
import type { Replayed } from './replay.ts';

/** The numbers that templates compare, each by the name of its limit. */
const NUMBERS: Readonly<Record<string, (value: BehaviourValue) => number | null>> = {
  'key_leak.asns_max': ({ asns }) => asns,
  'key_leak.addresses_max': ({ tokenAddresses }) => tokenAddresses,
  'scraping.resources_max': ({ resources }) => resources,
  'enumeration.failures_max': ({ denials, outcomes, resources }) =>
    denials === null || (resources ?? 0) <= 20 ? null : denials + (outcomes?.failure ?? 0),
  'credential_stuffing.credentials_max': ({ addressFailedCredentials }) => addressFailedCredentials,
  'impossible_travel.kmh_max (beyond 500 km)': ({ travelKm, travelKmh }) => (travelKm === null || travelKm < 500 ? null : travelKmh),
  'agent_drift.deviation_max (above 60 a minute)': ({ requestsMinute, requestsDeviation }) =>
    (requestsMinute ?? 0) <= 60 ? null : requestsDeviation,
  'agent_drift.refusals_max': ({ denials, stepUps }) => (denials === null || stepUps === null ? null : denials + stepUps),
};

/** How the numbers of benign requests are spread: what the limits are set by. */
export function createSpread(): { add(one: Replayed): void; lines(): readonly string[] } {
  const seen = new Map(Object.keys(NUMBERS).map((name): [string, number[]] => [name, []]));
  return {
    add({ event, behaviour }) {
      if (event.attack !== null || behaviour === null) return;
      for (const [name, read] of Object.entries(NUMBERS)) {
        const value = read(behaviour);
        if (value !== null) seen.get(name)?.push(value);
      }
    },
    lines: () =>
      [...seen].map(([name, values]) => {
        values.sort((a, b) => a - b);
        const at = (share: number): string => (values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0).toFixed(0);
        return `| ${name} | ${values.length} | ${at(0.5)} | ${at(0.99)} | ${at(0.999)} | ${at(1)} |`;
      }),
  };
}
