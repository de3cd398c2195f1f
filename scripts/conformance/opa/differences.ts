import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { inRoot } from '../../project.mjs';

/** `test/conformance/opa-differences.yaml`. */
const Differences = z.strictObject({
  differences: z.array(
    z.strictObject({
      /** What is other, in the words of a policy author. */
      what: z.string().min(10),
      reason: z.string().min(20),
      kind: z.enum(['fails', 'other']),
      /** Ids of cases; none where no published case shows it. */
      cases: z.array(z.string()),
    }),
  ),
});
export type Difference = z.infer<typeof Differences>['differences'][number];

export function readDifferences(): readonly Difference[] {
  return Differences.parse(parse(readFileSync(inRoot('test/conformance/opa-differences.yaml'), 'utf8'))).differences;
}
