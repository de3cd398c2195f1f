import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyPolicies, type RouteData } from '../test/support/policy-directory.ts';
import type { Workload } from './workload.ts';

/** The rules of the base pack that make up W1: a verified token, a scope a route, a list of refused networks. */
const W1_RULES = [
  'access/scope_granted',
  'access/scope_missing',
  'access/route_unknown',
  'identity/token_required',
  'identity/token_invalid',
  'network/address_blocked',
];

const NEVER = 1_000_000_000;
const OBJECTS = { effect: 'deny', points: 0 };
/** Every template, with numbers that no load reaches. */
const THREATS = {
  stolen_token: OBJECTS,
  key_leak: { ...OBJECTS, addresses_max: NEVER, asns_max: NEVER },
  scraping: { ...OBJECTS, resources_max: NEVER },
  enumeration: { ...OBJECTS, resources_max: NEVER, failures_max: NEVER, share_min: 1 },
  credential_stuffing: { ...OBJECTS, credentials_max: NEVER },
  impossible_travel: { ...OBJECTS, km_min: NEVER, kmh_max: NEVER },
  dormant_client: { ...OBJECTS, idle_seconds_max: NEVER },
  agent_drift: { ...OBJECTS, deviation_max: NEVER, requests_minute_max: NEVER, refusals_max: NEVER },
  anonymiser: { ...OBJECTS, kinds: ['tor'] },
  hosting_unexpected: { ...OBJECTS, client_types: ['device'], tiers: [] },
};

/** `policies/` with the workload's routes and networks: only W1's rules, or all of them with limits that this load does not reach. */
export function writeCountersignPolicies(directory: string, workload: Workload, pack: 'w1' | 'full'): void {
  const many = { '10s': 1_000_000, '1m': 1_000_000 };
  const routes = workload.routes.map((route): [string, RouteData] => [
    route.id,
    { methods: ['GET'], path: `/${route.segment}/{id}`, tier: 'medium', scopes: [route.scope] },
  ]);
  copyPolicies(directory, {
    routes: Object.fromEntries(routes),
    limits: {
      rate: { client: many, address: many, token: { '10s': 1_000_000 }, route: {} },
      network: { countries_blocked: ['KP'], addresses_blocked: workload.cidrs, list_tags: {} },
      threats: THREATS,
    },
    ...(pack === 'w1' ? { rules: W1_RULES } : {}),
  });
}

/** The same rules, routes, networks and key set for `opa run --server`; `networks` says in which form it looks them up. */
export function writeOpaPolicies(directory: string, workload: Workload, networks: 'keys' | 'cidrs'): void {
  mkdirSync(directory, { recursive: true });
  cpSync(join(import.meta.dirname, 'w1/w1.rego'), join(directory, 'w1.rego'));
  cpSync(join(import.meta.dirname, `w1/networks/${networks}.rego`), join(directory, 'networks.rego'));
  const data = {
    jwks: workload.jwks,
    issuer: workload.issuer,
    audience: workload.audience,
    routes: { GET: Object.fromEntries(workload.routes.map((route) => [route.segment, { scopes: [route.scope] }])) },
    prefixes: Object.fromEntries(workload.cidrs.map((cidr) => [cidr.replace(/\.0\/24$/, ''), true])),
    cidrs: workload.cidrs,
  };
  writeFileSync(join(directory, 'data.json'), JSON.stringify({ bench: data }));
}
