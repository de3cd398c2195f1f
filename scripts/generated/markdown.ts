/** A table; cells are texts of one line, in which `|` is escaped. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A text as code, or nothing for an empty one. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

/** The first lines of a file that nobody edits. */
export function opening(title: string, source: string, about: readonly string[]): string {
  return [`# ${title}`, '', `<!-- Made from ${source} by \`npm run generate\`; edit there. -->`, '', ...about].join('\n');
}
