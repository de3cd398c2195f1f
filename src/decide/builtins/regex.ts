import { RE2JS } from 're2js';
import { atMost, type Builtin, type BuiltinTable, ofTexts } from './builtin.ts';
import { wholeOf } from './value.ts';

/*
 * Owner of re2js, which matches in a time that grows with the text and not with what the pattern makes of it. `regex.match`,
 * `regex.is_valid` and `regex.find_all_string_submatch_n` are in the Wasm itself, over Google's RE2.
 */

const PATTERNS_MAX = 200;
const PATTERN_CHARS_MAX = 4096;
/** Steps of a match at the most: instructions of the pattern times characters of the text. */
const WORK_MAX = 4_000_000;
/** The same over all matches: each one may look at all the text that is left before it settles for less (`a+b|a`). */
const WORK_TOGETHER_MAX = 40_000_000;
/** What all `{n}` of a pattern may add up to: each one is that many copies when it is compiled. */
const REPEATS_MAX = 5000;
const PIECES_MAX = 50_000;

/** More than a thousand at once is no pattern. */
function repeatsOf(count: number): number {
  return count <= 1000 ? count : 0;
}

const compiled = new Map<string, RE2JS | undefined>();

/** A pattern, from the last ones; undefined where it is none. */
function patternOf(text: string): RE2JS | undefined {
  if (compiled.has(text)) return compiled.get(text);
  atMost(text.length, PATTERN_CHARS_MAX, 'characters of a pattern');
  let repeats = 0;
  for (const [, least = '', most] of text.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) repeats += repeatsOf(Number(most || least));
  atMost(repeats, REPEATS_MAX, 'repetitions of a pattern');
  let made: RE2JS | undefined;
  try {
    made = RE2JS.compile(text);
  } catch {
    made = undefined;
  }
  if (compiled.size >= PATTERNS_MAX) compiled.clear();
  compiled.set(text, made);
  return made;
}

type Match = {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | null)[];
  readonly names: ReadonlyMap<string, number>;
};

/** Matches from the left, as Go counts them: one that is empty and stands at the end of the one before is none. */
function matchesOf(pattern: RE2JS, text: string, limit: number): readonly Match[] {
  const size = pattern.programSize();
  atMost(size * (text.length + 1), WORK_MAX, 'steps of a match');
  const matcher = pattern.matcher(text);
  const names = new Map(Object.entries(pattern.namedGroups()).map(([name, index]) => [name, Number(index)]));
  const found: Match[] = [];
  let lastEnd = -1;
  let work = 0;
  const next = (): boolean => {
    work += size * (text.length - Math.max(lastEnd, 0) + 1);
    atMost(work, WORK_TOGETHER_MAX, 'steps of all matches');
    return matcher.find();
  };
  while ((limit < 0 || found.length < limit) && next()) {
    const match = { start: matcher.start(), end: matcher.end() };
    if (match.start === match.end && match.start === lastEnd) continue;
    lastEnd = match.end;
    atMost(found.length, PIECES_MAX, 'matches');
    found.push({ ...match, groups: Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index)), names });
  }
  return found;
}

const split = ofTexts(2, (expression, text) => {
  const pattern = patternOf(expression);
  if (pattern === undefined) return undefined;
  if (expression !== '' && text === '') return [''];
  const pieces: string[] = [];
  let from = 0;
  let end = 0;
  for (const match of matchesOf(pattern, text, -1)) {
    end = match.start;
    if (match.end !== 0) pieces.push(text.slice(from, end));
    from = match.end;
  }
  if (end !== text.length) pieces.push(text.slice(from));
  return pieces;
});

const findN: Builtin = ([expression, text, count]) => {
  const limit = wholeOf(count);
  if (typeof expression !== 'string' || typeof text !== 'string' || limit === undefined) return undefined;
  const pattern = patternOf(expression);
  if (pattern === undefined) return undefined;
  return matchesOf(pattern, text, limit < 0n ? -1 : Number(limit)).map(({ start, end }) => text.slice(start, end));
};

/** `$1`, `${1}`, `$name`, `${name}` and `$$` in a replacement (Go's `Regexp.Expand`); a group that is not there is nothing. */
function expanded(template: string, { groups, names }: Match): string {
  return template.replaceAll(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_, dollar?: string, braced?: string, bare?: string) => {
    if (dollar !== undefined) return '$';
    const name = braced ?? bare ?? '';
    const index = /^\d+$/.test(name) ? Number(name) : names.get(name);
    return (index === undefined ? null : groups[index]) ?? '';
  });
}

const replace = ofTexts(3, (text, expression, template) => {
  const pattern = patternOf(expression);
  if (pattern === undefined) return undefined;
  let made = '';
  let from = 0;
  for (const match of matchesOf(pattern, text, -1)) {
    made += text.slice(from, match.start) + expanded(template, match);
    from = match.end;
  }
  return made + text.slice(from);
});

/** The pattern that a template is: patterns stand between delimiters, the rest as it is. */
function templatePattern(template: string, open: string, close: string): string | undefined {
  let made = '^';
  let level = 0;
  let start = 0;
  for (let at = 0; at < template.length; at++) {
    if (template[at] === open && ++level === 1) {
      made += RE2JS.quote(template.slice(start, at));
      start = at + 1;
    } else if (template[at] === close && --level === 0) {
      const part = template.slice(start, at);
      if (patternOf(`^${part}$`) === undefined) return undefined;
      made += `(${part})`;
      start = at + 1;
    }
    if (level < 0) return undefined;
  }
  return level === 0 ? `${made}${RE2JS.quote(template.slice(start))}$` : undefined;
}

const templateMatch: Builtin = (values) => {
  const [template, text, open, close] = values;
  if (typeof template !== 'string' || typeof text !== 'string' || typeof open !== 'string' || typeof close !== 'string') return undefined;
  if (Buffer.byteLength(open) !== 1 || Buffer.byteLength(close) !== 1) return undefined;
  const expression = templatePattern(template, open, close);
  const pattern = expression === undefined ? undefined : patternOf(expression);
  return pattern === undefined ? undefined : matchesOf(pattern, text, 1).length > 0;
};

const META = /[\\*?[\]{}]/g;

export const REGEX: BuiltinTable = {
  'regex.split': split,
  'regex.find_n': findN,
  'regex.replace': replace,
  'regex.template_match': templateMatch,
  'glob.quote_meta': ofTexts(1, (pattern) => pattern.replaceAll(META, '\\$&')),
};
