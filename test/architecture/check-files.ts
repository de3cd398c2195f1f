import { basename } from 'node:path/posix';
import type { Violation } from './check-source.ts';

/** No file of ours is longer than this. */
export const LINES_MAX = 300;

const NOTHING_NAMES = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'index', 'lib', 'shared']);
const KEBAB = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
/** Rego's packages are snake_case, and a rule's file has its package's name. */
const SNAKE = /^[a-z0-9]+(_[a-z0-9]+)*(\.[a-z0-9]+)*$/;

/** Rules that need only the name and the length of a file. */
export function checkFile(path: string, text: string): Violation[] {
  const name = basename(path);
  const found: Violation[] = [];
  const at = (rule: string, what: string): void => void found.push({ path, line: 1, rule, text: what });
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines > LINES_MAX) at('length', `${lines} lines, at most ${LINES_MAX}`);
  if (!(path.endsWith('.rego') ? SNAKE : KEBAB).test(name)) at('name', 'the name is not kebab-case');
  const stem = name.split('.')[0] ?? '';
  if (!path.startsWith('policies/') && NOTHING_NAMES.has(stem)) at('name', `"${stem}" does not say what is in it`);
  return found;
}
