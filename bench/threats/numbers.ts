import type { BehaviourValue } from '../../src/contract/behaviour.ts';
import type { Replayed } from './replay.ts';

type Seen = BehaviourValue & { readonly deviceHours: number | null; readonly deviceClients: number | null; readonly deviceNew: boolean };

/** The numbers that templates compare, each by the name of its limit. */
const NUMBERS: Readonly<Record<string, (value: Seen) => number | null>> = {
  'stolen_token.device_age_seconds_min, in hours (new place)': ({ countryNew, asnNew, deviceHours }) =>
    countryNew === true || asnNew === true ? deviceHours : null,
  'stolen_token.device_clients_max (device of the last day)': ({ deviceHours, deviceClients }) =>
    deviceHours !== null && deviceHours < 24 ? deviceClients : null,
  'key_leak.asns_max': ({ asns }) => asns,
  'key_leak.addresses_max': ({ tokenAddresses }) => tokenAddresses,
  'scraping.resources_max': ({ resources }) => resources,
  'enumeration.failures_max': (value) => ((value.resources ?? 0) <= 20 ? null : failuresOf(value)),
  'enumeration.share_min, in hundredths (above 20 failures)': (value) => {
    const failures = failuresOf(value) ?? 0;
    return failures <= 20 || value.resources === null ? null : (100 * failures) / value.resources;
  },
  'credential_stuffing.credentials_max': ({ addressFailedCredentials }) => addressFailedCredentials,
  'impossible_travel.kmh_max (beyond 500 km)': ({ travelKm, travelKmh }) => (travelKm === null || travelKm < 500 ? null : travelKmh),
  'dormant_client.idle_seconds_max, in days (something new)': ({ idleSeconds, countryNew, asnNew, deviceNew }) =>
    idleSeconds !== null && (countryNew === true || asnNew === true || deviceNew) ? idleSeconds / 86_400 : null,
  'agent_drift.deviation_max (above 60 a minute)': ({ requestsMinute, requestsDeviation }) =>
    (requestsMinute ?? 0) <= 60 ? null : requestsDeviation,
  'agent_drift.mean_times_min (above 60 a minute and 8 deviations)': ({ requestsMinute, requestsMinuteMean, requestsDeviation }) =>
    (requestsMinute ?? 0) <= 60 || (requestsDeviation ?? 0) <= 8 ? null : (requestsMinute ?? 0) / (requestsMinuteMean ?? 1),
  'agent_drift.refusals_max': ({ denials, stepUps }) => (denials === null || stepUps === null ? null : denials + stepUps),
};

function failuresOf({ denials, outcomes }: BehaviourValue): number | null {
  return denials === null ? null : denials + (outcomes?.failure ?? 0) + (outcomes?.abuse ?? 0);
}

/** How the numbers of benign requests are spread: what the limits are set by. */
export function createSpread(): { add(one: Replayed): void; lines(): readonly string[] } {
  const seen = new Map(Object.keys(NUMBERS).map((name): [string, number[]] => [name, []]));
  return {
    add({ event, behaviour, device }) {
      if (event.attack !== null || behaviour === null) return;
      const firstSeen = device?.firstSeen ?? null;
      const deviceHours = firstSeen === null ? null : (event.atMs / 1000 - firstSeen) / 3600;
      const value = { ...behaviour, deviceHours, deviceClients: device?.sharedByClients ?? null, deviceNew: device?.newForClient === true };
      for (const [name, read] of Object.entries(NUMBERS)) {
        const number = read(value);
        if (number !== null) seen.get(name)?.push(number);
      }
    },
    lines: () =>
      [...seen].map(([name, values]) => {
        values.sort((a, b) => a - b);
        const at = (share: number): string => rounded(values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0);
        return `| ${name} | ${values.length} | ${at(0)} | ${at(0.5)} | ${at(0.99)} | ${at(0.999)} | ${at(1)} |`;
      }),
  };
}

function rounded(value: number): string {
  return value < 10 ? String(Number(value.toFixed(1))) : value.toFixed(0);
}
