import { createHash } from 'node:crypto';

/** What a bundle's check needs to know of one Rego file; read by a scanner of ours, since no OPA is there when a bundle is loaded. */
export type RegoFile = {
  /** Names below `data`, or null where the text does not begin with a package. */
  readonly package: readonly string[] | null;
  /** True where nothing but the package and imports is there. */
  readonly empty: boolean;
  /** `default verdict` is somewhere in it. */
  readonly defaultsVerdict: boolean;
  /** An `else` without a condition is somewhere in it. */
  readonly bareElse: boolean;
  /** SHA-256 (hex) over the tokens: the same for the same code, however it is laid out or commented. */
  readonly digest: string;
};

type Token = { readonly text: string; readonly line: number };

/** Comments, raw strings, strings, words, or one other character. */
const TOKEN = /#[^\n]*|`[^`]*`|"(?:[^"\\\n]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9A-Za-z_.+-]*|:=|[^\s]/g;

/** Scans one Rego file; total. */
export function scanRego(source: string): RegoFile {
  const tokens = tokenize(source);
  const [path, end] = packageOf(tokens);
  return {
    package: path,
    empty: tokens.slice(end).every((token, index, rest) => isImportLine(rest, token, index)),
    defaultsVerdict: tokens.some(({ text }, index) => text === 'default' && tokens[index + 1]?.text === 'verdict'),
    bareElse: tokens.some(({ text }, index) => text === 'else' && !isConditional(tokens, index)),
    digest: createHash('sha256')
      .update(tokens.map(({ text }) => text).join('\n'))
      .digest('hex'),
  };
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  for (const match of source.matchAll(TOKEN)) {
    for (; at < match.index; at++) if (source[at] === '\n') line++;
    const text = match[0];
    if (!text.startsWith('#')) tokens.push({ text, line });
  }
  return tokens;
}

function packageOf(tokens: readonly Token[]): [readonly string[] | null, number] {
  if (tokens[0]?.text !== 'package') return [null, 0];
  const first = tokens[1]?.text ?? '';
  if (!isName(first)) return [null, 0];
  const names = [first];
  let at = 2;
  for (;;) {
    const name = tokens[at + 1]?.text ?? '';
    if (tokens[at]?.text === '.' && isName(name)) {
      names.push(name);
      at += 2;
    } else if (tokens[at]?.text === '[' && tokens[at + 2]?.text === ']' && /^["`]/.test(name)) {
      const quoted = unquote(name);
      if (quoted === null) return [null, 0];
      names.push(quoted);
      at += 3;
    } else return [names, at];
  }
}

function isName(text: string): boolean {
  return /^[A-Za-z_]/.test(text);
}

function unquote(text: string): string | null {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : null;
  } catch {
    // an escape that JSON does not know: not a name that we could compare
    return null;
  }
}

/** Whether the token stands on a line that begins with `import`. */
function isImportLine(tokens: readonly Token[], token: Token, index: number): boolean {
  let first = index;
  while (first > 0 && tokens[first - 1]?.line === token.line) first--;
  return tokens[first]?.text === 'import';
}

/** Whether an `else` is followed, after its value, by a condition that can fail. */
function isConditional(tokens: readonly Token[], at: number): boolean {
  let depth = 0;
  let line = tokens[at]?.line ?? 0;
  for (let index = at + 1; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === undefined) return false;
    const { text } = token;
    // a body directly after `else`, as Rego v0 writes it
    if (index === at + 1 && text === '{') return !isTrue(tokens, index);
    if (depth === 0 && text === 'if') return !isTrue(tokens, index + 1);
    if (depth === 0 && text === 'else') return false;
    // the value has ended with its line, and the next line begins something else
    if (depth === 0 && token.line > line && index > at + 1 && !CONTINUES.has(tokens[index - 1]?.text ?? '')) return false;
    if (OPENING.has(text)) depth++;
    if (CLOSING.has(text)) depth--;
    if (depth < 0) return false;
    line = token.line;
  }
  return false;
}

/** `if true` and `if { true }` are no conditions. */
function isTrue(tokens: readonly Token[], at: number): boolean {
  const braces = tokens[at]?.text === '{' ? 1 : 0;
  if (tokens[at + braces]?.text !== 'true') return false;
  const after = tokens[at + braces + 1];
  return braces === 1 ? after?.text === '}' : after === undefined || after.line > (tokens[at]?.line ?? 0);
}

const OPENING = new Set(['(', '[', '{']);
const CLOSING = new Set([')', ']', '}']);
/** A value goes on in the next line after these. */
const CONTINUES = new Set([':=', '=', '+', '-', '*', '/', '%', '|', '&', ',', '.', '(', '[', '{']);
