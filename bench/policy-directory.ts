import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Workload } from './workload.ts';

const ROOT = join(import.meta.dirname, '..');

/** The rules of the base pack that make up W1: a verified token, a scope a route, a list of refused networks. */
const W1_RULES = [
  'access/scope_granted',
  'access/scope_missing',
  'access/route_unknown',
  'identity/token_required',
  'identity/token_invalid',
  'network/address_blocked',
];

/** A copy of `policies/` with the workload's routes and networks: only W1's rules, or all with limits that this load does not reach. */
export function writeCountersignPolicies(directory: string, workload: Workload, pack: 'w1' | 'full'): void {
  const source = join(ROOT, 'policies');
  cpSync(source, directory, {
    recursive: true,
    filter: (path) => {
      const name = relative(source, path);
      if (name.startsWith('countersign_test')) return false;
      const rule = /^countersign\/rules\/(\w+\/\w+)\.rego$/.exec(name)?.[1];
      return pack === 'full' || rule === undefined || W1_RULES.includes(rule);
    },
  });
  const routes = Object.fromEntries(
    workload.routes.map((route) => [
      route.id.replace('-', '_'),
      { methods: ['GET'], path: `/${route.segment}/{id}`, tier: 'medium', scopes: [route.scope] },
    ]),
  );
  writeFileSync(join(directory, 'countersign/routes/data.yaml'), stringify(routes));
  const limitsFile = join(directory, 'countersign/limits/data.yaml');
  const limits: unknown = parse(readFileSync(limitsFile, 'utf8'));
  if (typeof limits !== 'object' || limits === null || !('network' in limits) || typeof limits.network !== 'object') {
    throw new Error('policies/countersign/limits/data.yaml has no network');
  }
  const many = { '10s': 1_000_000, '1m': 1_000_000 };
  writeFileSync(
    limitsFile,
    stringify({
      ...limits,
      rate: { client: many, address: many, token: { '10s': 1_000_000 }, route: {} },
      network: { ...limits.network, addresses_blocked: workload.cidrs },
    }),
  );
}

/** The same rules, routes, networks and key set for `opa run --server`. */
export function writeOpaPolicies(directory: string, workload: Workload): void {
  mkdirSync(directory, { recursive: true });
  cpSync(join(ROOT, 'bench/w1/w1.rego'), join(directory, 'w1.rego'));
  const data = {
    jwks: workload.jwks,
    issuer: workload.issuer,
    audience: workload.audience,
    routes: { GET: Object.fromEntries(workload.routes.map((route) => [route.segment, { scopes: [route.scope] }])) },
    prefixes: Object.fromEntries(workload.cidrs.map((cidr) => [cidr.replace(/\.0\/24$/, ''), true])),
  };
  writeFileSync(join(directory, 'data.json'), JSON.stringify({ bench: data }));
}
