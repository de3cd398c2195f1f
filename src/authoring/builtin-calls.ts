import { type Finding, findingOf } from './finding.ts';
import { type Call, callOf, type Module, nodesIn } from './rego-ast.ts';

/**
 * Every call of a builtin that is not there, where it stands. `missing` is what the compiled module asks the host for in vain, each with why
 * where that is known (`http.send: policies ask nobody`); one whose call is not in sight is told without a place.
 */
export function builtinFindings(missing: readonly string[], modules: readonly Module[]): Finding[] {
  return missing.flatMap((entry) => {
    const calls = modules.flatMap((module) =>
      callsOf(entry, module).map(({ at }) => findingOf('builtin_missing', { file: module.file, line: at.line, column: at.column }, entry)),
    );
    // an infix call is there twice: as the expression and as what it computes
    const places = new Map(calls.map((finding) => [`${finding.file}:${finding.line}:${finding.column}`, finding]));
    return places.size > 0 ? [...places.values()] : [findingOf('builtin_missing', { file: '.manifest', line: 1, column: 1 }, entry)];
  });
}

/** The calls of a builtin in a file; `entry` is its name, with or without why it is not there. */
export function callsOf(entry: string, module: Module): readonly Call[] {
  const name = entry.split(':')[0] ?? entry;
  const calls = [...nodesIn(module.rules.map((rule) => rule))].map(callOf).filter((call) => call !== null);
  return calls.filter((call) => call.name === name && !module.imports.has(call.parts[0] ?? ''));
}
