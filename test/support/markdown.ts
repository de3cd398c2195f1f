/** A fenced block: its info string, the line it begins in, its text. */
export type FencedBlock = { readonly info: string; readonly line: number; readonly text: string };

const FENCE = /^```([^\n]*)\n([\s\S]*?)^```[ \t]*$/gm;

export function fencedBlocks(markdown: string): FencedBlock[] {
  return [...markdown.matchAll(FENCE)].map((match) => ({
    info: (match[1] ?? '').trim(),
    line: markdown.slice(0, match.index).split('\n').length,
    text: match[2] ?? '',
  }));
}

/** The text without its fenced blocks. */
export function prose(markdown: string): string {
  return markdown.replaceAll(FENCE, '');
}

/** Links to files of the repository, and to headings of the same file (`file` is then empty). */
export function linksOf(markdown: string): { file: string; anchor: string }[] {
  return [...prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ file: target.split('#')[0] ?? '', anchor: target.split('#')[1] ?? '' }));
}

/** Anchors of the headings, by the rule of GitHub: lower case, punctuation dropped, spaces to hyphens. */
export function headingAnchors(markdown: string): string[] {
  return [...prose(markdown).matchAll(/^#{1,6}\s+(.+?)\s*$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Names in `npm run NAME`, and `start` and `test`, which npm runs without `run`. */
export function scriptsIn(markdown: string): string[] {
  return [...markdown.matchAll(/\bnpm (?:run ([a-z][a-z:-]*)|(start|test)\b)/g)].map((match) => match[1] ?? match[2] ?? '');
}

/** Files of the repository that the text names in backticks. */
export function pathsIn(text: string): string[] {
  return [...text.matchAll(/`((?:src|test|scripts|policies|config|docs|bench|\.ci)\/[\w./-]+)`/g)].map((match) => match[1] ?? '');
}
