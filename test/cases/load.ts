import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Case, CaseFile } from './schema.ts';

/** Every case of `test/cases/*.yaml`, with its file; throws where a file does not have the form or two cases share a name. */
export function loadCases(): readonly (Case & { readonly file: string })[] {
  const directory = import.meta.dirname;
  const cases = readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => CaseFile.parse(parse(readFileSync(join(directory, file), 'utf8'))).map((one) => ({ ...one, file })));
  const names = new Set(cases.map(({ file, name }) => `${file}: ${name}`));
  if (names.size !== cases.length) throw new Error('two cases share a name');
  return cases;
}
