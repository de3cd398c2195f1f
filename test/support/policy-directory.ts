import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { PROJECT_ROOT } from './countersign.ts';

/** A route of the catalogue, as `policies/countersign/routes/data.yaml` writes it. */
export type RouteData = {
  readonly methods: readonly string[];
  readonly path: string;
  readonly tier: 'low' | 'medium' | 'high' | 'critical';
  readonly scopes?: readonly string[];
  readonly public?: boolean;
  readonly hosts?: readonly string[];
  readonly resource_metadata?: string;
  readonly enforce?: boolean;
  readonly mcp?: { readonly server: string; readonly gateways?: readonly string[] };
};

export type PolicyChanges = {
  /** Instead of the catalogue that the base pack comes with; by id. */
  readonly routes?: Readonly<Record<string, RouteData>>;
  /** Sections of the limits that are replaced whole, by name. */
  readonly limits?: Readonly<Record<string, unknown>>;
  /** Only these rules, as `category/name`; all where it is absent. */
  readonly rules?: readonly string[];
};

/** A copy of `policies/` in `directory` with other data: a deployment of its own, with the rules as they are. Rego's tests stay behind. */
export function copyPolicies(directory: string, changes: PolicyChanges): void {
  const source = join(PROJECT_ROOT, 'policies');
  cpSync(source, directory, {
    recursive: true,
    filter: (path) => {
      const name = relative(source, path);
      if (name.startsWith('countersign_test')) return false;
      const rule = /^countersign\/rules\/(\w+\/\w+)\.rego$/.exec(name)?.[1];
      return rule === undefined || changes.rules === undefined || changes.rules.includes(rule);
    },
  });
  if (changes.routes !== undefined) writeFileSync(join(directory, 'countersign/routes/data.yaml'), stringify(changes.routes));
  const limitsFile = join(directory, 'countersign/limits/data.yaml');
  const limits: unknown = parse(readFileSync(limitsFile, 'utf8'));
  if (typeof limits !== 'object' || limits === null) throw new Error('the limits are no object');
  for (const name of Object.keys(changes.limits ?? {})) {
    if (!Object.hasOwn(limits, name)) throw new Error(`the base pack's limits have no ${name}`);
  }
  writeFileSync(limitsFile, stringify({ ...limits, ...changes.limits }));
}
