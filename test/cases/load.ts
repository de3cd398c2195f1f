import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PlacedCase, parseCases } from '../../src/cases/parse-cases.ts';

/** Every case of `test/cases/*.yaml`, with its file; throws where a file does not have the form or two cases share a name. */
export function loadCases(): readonly PlacedCase[] {
  const directory = import.meta.dirname;
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => {
      const { cases, problems } = parseCases(file, readFileSync(join(directory, file), 'utf8'));
      if (problems.length > 0) throw new Error(JSON.stringify(problems));
      return cases;
    });
}
