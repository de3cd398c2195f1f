import { isNode, LineCounter, parseDocument } from 'yaml';
import { type Case, CaseFile } from './schema.ts';

/** A case and where it is written. */
export type PlacedCase = Case & { readonly file: string; readonly line: number };

/** What is wrong with a file of cases; lines and columns count from 1. */
export type CaseProblem = { readonly file: string; readonly line: number; readonly column: number; readonly text: string };

export type ParsedCases = { readonly cases: readonly PlacedCase[]; readonly problems: readonly CaseProblem[] };

/** Reads a YAML file of cases; one that does not have the form gives none. Never throws. */
export function parseCases(file: string, text: string): ParsedCases {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problems: CaseProblem[] = document.errors.map(({ message, pos: [at] }) => place(at, message.split('\n')[0] ?? message));
  function place(at: number, what: string): CaseProblem {
    const { line, col } = lines.linePos(at);
    return { file, line: Math.max(1, line), column: Math.max(1, col), text: what };
  }
  /** Where the value of a path begins, or of the longest part of it that is there. */
  function startOf(path: readonly PropertyKey[]): number {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }
  if (problems.length > 0) return { cases: [], problems };
  const parsed = CaseFile.safeParse(document.toJS());
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => place(startOf(issue.path), `${issue.path.join('.') || 'file'}: ${issue.message}`));
    return { cases: [], problems: wrong };
  }
  const cases = parsed.data.map((one, index) => ({ ...one, file, line: place(startOf([index]), '').line }));
  const names = new Set<string>();
  for (const { name, line } of cases) {
    if (names.has(name)) problems.push({ file, line, column: 1, text: `two cases are called ${JSON.stringify(name)}` });
    names.add(name);
  }
  return { cases, problems };
}
