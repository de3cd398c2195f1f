import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { type Corpus, type Place, sorted, type TrafficEvent } from './traffic.ts';

/*
 * The recorded sets of `traffic/` in VECTORS_DIR, read where they lie, as requests of an API. What the mapping assumes:
 * - each call is a request with a good credential that is let through, unless a template objects; an error of the cloud is a reported failure, throttling an error of the upstream;
 * - principal, access key and user agent are client, token and device; service and operation are the path;
 * - addresses are anonymised in all but two sets, so that nothing is known of their place;
 * - of the logins, hostile is what comes from an address that the set calls an attacker's, or is of the one user who is in four countries within a
 *   minute, outside the country where that user began.
 */

const NOWHERE: Place = { country: null, asn: null, at: null, kinds: [] };

const Call = z.object({
  time: z.string(),
  principal: z.string(),
  access_key: z.string().nullable(),
  ip: z.string(),
  user_agent: z.string().nullable(),
  service: z.string(),
  operation: z.string(),
  error: z.string().nullable(),
  label: z.string().optional(),
});

const Login = z.object({
  'Login Timestamp': z.string(),
  'User ID': z.string(),
  'IP Address': z.string(),
  Country: z.string(),
  ASN: z.string(),
  'User Agent String': z.string(),
  'Is Attack IP': z.string(),
});

const Visit = z.object({ time: z.string(), ip: z.string(), user_agent: z.string(), request: z.string() });

/** Rough centres of the countries that occur: the excerpt has no coordinates. */
const CENTRES: Readonly<Record<string, Place['at']>> = {
  NO: { latitude: 60, longitude: 10 },
  AU: { latitude: -33.9, longitude: 151.2 },
  US: { latitude: 39, longitude: -95 },
  ID: { latitude: -6.2, longitude: 106.8 },
};

const TRAVELLER = '-4324475583306591935';
const EVENT = { type: 'service', refused: null, place: NOWHERE, ja4: null, outcome: 'success', attack: null } as const;

/** Every set, with what of it is hostile by its own label or description. */
export function recordedSets(directory: string): readonly Corpus[] {
  const read = (name: string): string => readFileSync(join(directory, 'traffic', name), 'utf8');
  const casesOf = (name: string): unknown => z.object({ cases: z.unknown() }).parse(JSON.parse(read(name))).cases;
  const lines = gunzipSync(readFileSync(join(directory, 'traffic', 'cloudtrail-stratus.jsonl.gz')))
    .toString('utf8')
    .trim()
    .split('\n');
  const stratus = lines.map((line) => Call.parse(JSON.parse(line)));
  const exfiltration = z.array(Call).parse(casesOf('ec2-proxy-s3-exfiltration.json'));
  const logins = z.array(Login).parse(casesOf('rba-login-excerpt.json'));
  const visits = z.array(Visit).parse(casesOf('s3-honeybucket.json'));
  return [
    { name: 'cloudtrail-stratus', events: sorted(stratus.map((call) => callEvent(call, call.label === 'attack-tool'))) },
    { name: 'ec2-proxy-s3-exfiltration', events: sorted(exfiltration.map((call) => callEvent(call, call.principal.includes('WAFRole')))) },
    { name: 'rba-login-excerpt', events: sorted(logins.map(loginEvent)) },
    { name: 's3-honeybucket', events: sorted(visits.map(visitEvent)) },
  ];
}

/** Of the one attack that such a set is of. */
function callEvent(call: z.output<typeof Call>, isHostile: boolean): TrafficEvent {
  return {
    ...EVENT,
    atMs: Date.parse(call.time),
    client: call.principal,
    token: call.access_key,
    address: /^[\d.]+$|:/.test(call.ip) ? call.ip : '192.0.2.1',
    userAgent: call.user_agent,
    path: `/items/${encodeURIComponent(`${call.service}-${call.operation}`)}`,
    outcome: call.error === null ? 'success' : call.error === 'ThrottlingException' ? 'error' : 'failure',
    attack: isHostile ? 0 : null,
  };
}

function loginEvent(login: z.output<typeof Login>): TrafficEvent {
  return {
    ...EVENT,
    atMs: Date.parse(`${login['Login Timestamp'].replace(' ', 'T')}Z`),
    client: login['User ID'],
    token: null,
    address: login['IP Address'],
    place: { country: login.Country, asn: Number(login.ASN), at: CENTRES[login.Country] ?? null, kinds: [] },
    userAgent: login['User Agent String'],
    path: '/items/login',
    attack: login['Is Attack IP'] === 'True' || (login['User ID'] === TRAVELLER && login.Country !== 'NO') ? 0 : null,
  };
}

/** Without any credential. */
function visitEvent(visit: z.output<typeof Visit>, index: number): TrafficEvent {
  return {
    ...EVENT,
    atMs: Date.parse(visit.time),
    client: null,
    token: null,
    address: visit.ip,
    userAgent: visit.user_agent,
    path: `/items/${index}`,
    attack: 0,
  };
}
