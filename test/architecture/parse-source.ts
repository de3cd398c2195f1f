import { parseAst } from 'rolldown/parseAst';

/** One import, re-export, `import()` or `import('…')` type. */
export type ImportFact = { readonly specifier: string; readonly typeOnly: boolean; readonly line: number };

/** One exported declaration. */
export type ExportFact = {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'value';
  readonly documented: boolean;
  readonly line: number;
};

/** The specifier of an import whose target is no literal. */
export const COMPUTED = '(computed)';

/** What the rules look at. */
export type SourceFacts = {
  readonly imports: readonly ImportFact[];
  readonly exports: readonly ExportFact[];
  readonly defaultExports: readonly number[];
  /** True where every statement only hands on what other files export. */
  readonly isBarrel: boolean;
  /** Dotted uses of globals such as `process.env`, and `new Date()` without an argument. */
  readonly globals: readonly { readonly name: string; readonly line: number }[];
};

type Node = { readonly type: string; readonly start: number; readonly end: number } & Readonly<Record<string, unknown>>;

const KINDS: Readonly<Record<string, ExportFact['kind']>> = {
  FunctionDeclaration: 'function',
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
};

/** Reads one TypeScript file; throws where it does not parse. Type-only imports are kept, unlike after type stripping. */
export function parseSource(text: string): SourceFacts {
  const program = parseAst(text, { lang: 'ts' });
  const body = nodesIn(program.body);
  const lineOf = (at: number): number => text.slice(0, at).split('\n').length;
  const imports: ImportFact[] = [];
  const globals: { name: string; line: number }[] = [];
  for (const node of walk(body)) {
    const specifier = specifierOf(node);
    if (specifier !== null) imports.push({ specifier, typeOnly: isTypeOnly(node), line: lineOf(node.start) });
    const name = globalOf(node);
    if (name !== null) globals.push({ name, line: lineOf(node.start) });
  }
  return {
    imports,
    exports: body.flatMap((node) => exportsOf(node, text, lineOf)),
    defaultExports: body.filter(isDefaultExport).map((node) => lineOf(node.start)),
    isBarrel: body.length > 0 && body.every((node) => isNode(node['source']) && node.type !== 'ImportDeclaration'),
    globals,
  };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value;
}

function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [];
}

function* walk(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    yield node;
    for (const value of Object.values(node)) yield* walk(nodesIn(value));
  }
}

const IMPORTING = new Set(['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression', 'TSImportType']);

function specifierOf(node: Node): string | null {
  const source = node['source'];
  if (!IMPORTING.has(node.type) || !isNode(source)) return null;
  return typeof source['value'] === 'string' ? source['value'] : COMPUTED;
}

function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = nodesIn(node['specifiers']);
  return specifiers.length > 0 && specifiers.every((one) => one['importKind'] === 'type' || one['exportKind'] === 'type');
}

function globalOf(node: Node): string | null {
  if (node.type === 'NewExpression' && nameOf(node['callee']) === 'Date' && nodesIn(node['arguments']).length === 0) return 'new Date()';
  if (node.type !== 'MemberExpression') return null;
  const object = nameOf(node['object']);
  const property = node['computed'] === true && isNode(node['property']) ? node['property']['value'] : nameOf(node['property']);
  return object === null || typeof property !== 'string' ? null : `${object}.${property}`;
}

function nameOf(value: unknown): string | null {
  return isNode(value) && value.type === 'Identifier' && typeof value['name'] === 'string' ? value['name'] : null;
}

function isDefaultExport(node: Node): boolean {
  const isNamedDefault = nodesIn(node['specifiers']).some((one) => nameOf(one['exported']) === 'default');
  return node.type === 'ExportDefaultDeclaration' || (node.type === 'ExportNamedDeclaration' && isNamedDefault);
}

function exportsOf(node: Node, text: string, lineOf: (at: number) => number): ExportFact[] {
  const [declaration] = node.type === 'ExportNamedDeclaration' ? nodesIn(node['declaration']) : [];
  if (declaration === undefined) return [];
  const kind = KINDS[declaration.type] ?? 'value';
  const named = declaration.type === 'VariableDeclaration' ? nodesIn(declaration['declarations']) : [declaration];
  const documented = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.test(text.slice(0, node.start));
  return named.map((one) => ({ name: nameOf(one['id']) ?? '?', kind, documented, line: lineOf(node.start) }));
}
