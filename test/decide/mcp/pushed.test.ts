import { beforeAll, describe, expect, it } from 'vitest';
import { identityOf, requestOf } from '../../../src/cases/signals.ts';
import { createPolicies, type PolicySet } from '../../../src/decide/policies.ts';
import { runDataJob } from '../../../src/decide/pushed/data-job.ts';
import { createPushedData } from '../../../src/decide/pushed/pushed-data.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { loadCases } from '../../cases/load.ts';
import { baseBundle, CLOCK, decideOptions, SILENT } from '../fixtures.ts';

/* What an MCP server offers is data: admins change it while the service runs. */

const bounds = { dataMaxBytes: 100_000, exceptionsMax: 5, exceptionMaxSeconds: 60 };
const SERVERS = 'countersign/limits/mcp/servers/tickets';

let set: PolicySet;
beforeAll(async () => {
  const openPushed = (policy: string) => createPushedData({ policy, run: runDataJob, file: null, bounds, clock: CLOCK, logger: SILENT });
  set = createPolicies(decideOptions(), { clock: CLOCK, logger: SILENT, openPushed });
  await set.load();
  await set.activate('default', await baseBundle());
});

function put(path: string, value: unknown, match: '*' | null = '*', role: 'admin' | 'operator' = 'admin') {
  const edit = { kind: 'put', bytes: Buffer.from(JSON.stringify(value)) } as const;
  return set.data.change({ policy: 'default', path: path.split('/'), edit, condition: { match }, operator: { name: 'ann', role } });
}

function effectOf(name: string): string {
  const one = loadCases().find((candidate) => candidate.name === name);
  if (one === undefined) throw new Error('no such case');
  const request = requestOf(one);
  const policy = set.select(request);
  if ('refused' in policy) throw new Error(policy.refused);
  return policy.decide(request, identityOf(one, request), SMOKE_FACTS.enrichment, policy.routeOf(request)).decision.effect;
}

describe('pushed data of an MCP server', () => {
  it('is in force for the next call', async () => {
    expect(effectOf('mcp: a tool is granted by its alias')).toBe('allow');
    expect(await put(`${SERVERS}/aliases`, {})).toMatchObject({ dataRevision: 1 });
    expect(effectOf('mcp: a tool is granted by its alias')).toBe('deny');
    expect(await put(`${SERVERS}/tools/tickets_search`, { scopes: ['tickets:read'] }, null)).toMatchObject({ dataRevision: 2 });
    expect(effectOf('mcp: a tool is granted by its alias')).toBe('allow');
  });

  it('is refused where it is wrong, or a route names a server that it has not', async () => {
    expect(await put(`${SERVERS}/aliases`, { search: 'comment' })).toMatchObject({ refused: 'bundle_data_invalid' });
    expect(await put('countersign/limits/mcp/servers', {})).toMatchObject({
      refused: 'bundle_routes_invalid',
    });
    expect(await put(`${SERVERS}/tools/search`, { scope: 'all' })).toHaveProperty('refused');
    expect(effectOf('mcp: a tool is granted with its scope')).toBe('allow');
  });

  it('is for admins', async () => {
    expect(await put(`${SERVERS}/tools/deploy`, {}, null, 'operator')).toMatchObject({ refused: 'operator_not_allowed' });
  });
});
