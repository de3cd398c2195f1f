import { REFUSED } from '../../src/decide/builtins/refused.ts';
import { BUILTINS } from '../../src/decide/builtins/table.ts';
import { readDifferences } from '../conformance/opa/differences.ts';
import { code, table } from './markdown.ts';

/** The tables of builtins in docs/rego.md. */
export function builtinTables(): string {
  const families = Map.groupBy(
    Object.keys(BUILTINS)
      .filter((name) => !name.startsWith('internal.'))
      .sort(),
    (name) => name.split('.').slice(0, -1).join('.') || 'without a family',
  );
  const offered = [...families].map(([family, names]) => [family, names.map((name) => code(name)).join(', ')]);
  const refused = Object.entries(REFUSED)
    .filter(([name]) => !name.startsWith('internal.'))
    .sort()
    .map(([name, why]) => [code(name), why]);
  const differences = readDifferences().map(({ what, kind, reason }) => [what, kind === 'fails' ? 'fails' : 'another result', reason]);
  return [
    'Offered by the host:',
    table(['family', 'builtins'], offered),
    'Refused at load, by name:',
    table(['builtin', 'why'], refused),
    'Where the result is not that of OPA:',
    table(['what', 'here it', 'why'], differences),
  ].join('\n\n');
}
