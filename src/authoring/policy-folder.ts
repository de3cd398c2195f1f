import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareText, type Finding } from './finding.ts';
import { findingsOf, type Opa, parseOutput } from './opa.ts';
import { type Module, parseModule } from './rego-ast.ts';

/* A folder of Rego with its data, as `opa build -b` takes it. */

/** OPA parses one file a process. */
const PARSED_AT_ONCE = 4;

/** Whether the folder is one of a policy: it has a `.manifest`. */
export async function isPolicyFolder(directory: string): Promise<boolean> {
  try {
    return (await stat(join(directory, '.manifest'))).isFile();
  } catch {
    // that it is not there is the answer
    return false;
  }
}

/** Paths of all files below a folder, with slashes, sorted; hidden ones but for `.manifest` are left out. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(directory.length)
        .replace(/^[/\\]+/, '')
        .replaceAll('\\', '/'),
    )
    .filter((path) => path.split('/').every((part) => !part.startsWith('.') || part === '.manifest'))
    .sort(compareText);
}

/** Every Rego file that is no test, by its syntax tree; what does not parse is a finding. */
export async function parseModules(
  opa: Opa,
  directory: string,
  files: readonly string[],
): Promise<{ readonly modules: readonly Module[]; readonly findings: readonly Finding[] }> {
  const queue = files.filter((file) => file.endsWith('.rego') && !file.endsWith('_test.rego'));
  const modules: Module[] = [];
  const findings: Finding[] = [];
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const run = await opa(['parse', '--format', 'json', '--json-include', 'locations', file], directory);
      const module = run.ok ? parseModule(file, parseOutput(run.stdout)) : null;
      if (module === null) findings.push(...findingsOf(run, file, 'opa parse'));
      else modules.push(module);
    }
  };
  await Promise.all(Array.from({ length: PARSED_AT_ONCE }, work));
  return { modules: modules.sort((a, b) => compareText(a.file, b.file)), findings };
}
