import { readEntry } from './entry-forms.ts';
import { type Problem, Problems } from './problem.ts';
import { type Revocation, revocationForm } from './revocation-entry.ts';
import { readSections, type SectionName, type SourceFile } from './sections.ts';

const SECTIONS: readonly SectionName[] = [{ list: 'revocations', one: 'revocation' }];

/** Blanks, comments and marks of documents alone; no line is read in two ways. */
const SAYS_NOTHING = /^(?:(?:---|\.\.\.)?[ \t\r]*(?:#[^\n]*)?(?:\n|$))*$/;
const EMPTY = 'is empty: where nothing is revoked, `revocations.yaml` says `revocations: []`, and there is no other file';

export type ParsedRevocations = {
  readonly revocations: readonly Revocation[];
  /** Empty where all of it is sound; otherwise none of it may be used. */
  readonly problems: readonly Problem[];
};

/** Reads and judges the files of revocations. One that says nothing at all is refused: it could be a file that is being written. */
export function parseRevocations(files: readonly SourceFile[], { entriesMax }: { readonly entriesMax: number }): ParsedRevocations {
  const problems = new Problems();
  for (const { name, text } of files) if (SAYS_NOTHING.test(text)) problems.add(name, null, null, EMPTY);
  const sections = readSections(files, SECTIONS, { entriesMax }, problems);
  const revocations: Revocation[] = [];
  for (const entry of sections['revocations'] ?? []) {
    const revocation = readEntry(revocationForm(entry.value), entry, problems);
    if (revocation !== null) revocations.push(revocation);
  }
  return { revocations, problems: problems.list };
}
