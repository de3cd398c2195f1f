import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { buildBundle } from '../../src/decide/bundle-build.ts';
import { createTestPolicies, ENTRYPOINT, OPA_BIN, POLICIES } from '../../test/decide/fixtures.ts';
import { copyPolicies } from '../../test/support/policy-directory.ts';

const Limits = z.object({ threats: z.record(z.string(), z.looseObject({ points: z.number() })) });

/** The base pack with its own limits of threats; a template without points gets one, since a factor is how it shows that it saw something. */
export async function measuredPolicy(): Promise<ActivePolicy> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-threats-'));
  try {
    const { threats } = Limits.parse(parse(readFileSync(join(POLICIES, 'countersign/limits/data.yaml'), 'utf8')));
    const shown = Object.entries(threats).map(([name, threat]) => [name, { ...threat, points: Math.max(1, threat.points) }]);
    const many = { '1m': 1_000_000 };
    const route = { methods: ['GET'], tier: 'medium' } as const;
    copyPolicies(directory, {
      routes: {
        orders: { ...route, path: '/orders/{id}', scopes: ['data:read'] },
        items: { ...route, path: '/items/{id}', scopes: ['data:read'] },
        admin: { ...route, path: '/admin/{id}', scopes: ['admin'] },
      },
      limits: { threats: Object.fromEntries(shown), rate: { client: many, address: many, token: many, route: {} } },
    });
    return await createTestPolicies().activate('default', await buildBundle({ opaBin: OPA_BIN, directory, entrypoint: ENTRYPOINT }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
