import { type ParsedRecords, parseRecords } from './parse-records.ts';
import { type ParsedRevocations, parseRevocations } from './parse-revocations.ts';
import type { Problem, Refusal } from './problem.ts';
import type { SourceFile } from './sections.ts';
import { decode, FILES_MAX, type FoundFile, type Part, readSource } from './source-files.ts';

export type LoadBounds = { readonly entriesMax: number; readonly bytesMax: number; readonly hashKeyIds: readonly string[] | null };

/** What a part's files hold, or why they are not taken. */
export type Loaded =
  | { readonly ok: true; readonly records: ParsedRecords | null; readonly revocations: ParsedRevocations | null }
  | ({ readonly ok: false } & Refusal);

/** The refusal that can be told from the names, kinds and sizes of the files, or null. */
export function refusedBefore(part: Part, files: readonly FoundFile[], { bytesMax }: LoadBounds): Refusal | null {
  if (files.length === 0) {
    const message =
      part === 'records'
        ? 'no .yaml or .jsonl file with clients and keys'
        : 'revocations.yaml is missing: `revocations: []` revokes nothing';
    return refusal('registry_missing', message);
  }
  if (files.length > FILES_MAX) return refusal('registry_too_large', `more than ${FILES_MAX} files`);
  const odd = files.filter(({ regular }) => !regular);
  if (odd.length > 0) return { code: 'registry_invalid', problems: odd.map(({ name }) => problem(name, 'is no regular file')) };
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return bytes > bytesMax ? refusal('registry_too_large', `${part} have more than ${bytesMax} bytes together`) : null;
}

/** Reads and judges the files of a part at once: for a thread of its own, and for the command line. Throws where a file cannot be read. */
export function loadFiles(part: Part, files: readonly FoundFile[], bounds: LoadBounds): Loaded {
  const refused = refusedBefore(part, files, bounds);
  if (refused !== null) return { ok: false, ...refused };
  return judge(
    part,
    files.map(({ name, path }) => readSource({ name, path }) ?? name),
    bounds,
  );
}

/** The same from bytes that were read already. */
export function judgeBytes(
  part: Part,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  bounds: LoadBounds,
): Loaded {
  return judge(
    part,
    files.map(({ name, bytes }) => decode(name, bytes) ?? name),
    bounds,
  );
}

function judge(part: Part, texts: readonly (SourceFile | string)[], bounds: LoadBounds): Loaded {
  const unreadable = texts.filter((one) => typeof one === 'string');
  if (unreadable.length > 0) {
    return { ok: false, code: 'registry_invalid', problems: unreadable.map((file) => problem(file, 'is not UTF-8')) };
  }
  const files = texts.filter((one) => typeof one !== 'string');
  const records = part === 'records' ? parseRecords(files, bounds) : null;
  const revocations = part === 'revocations' ? parseRevocations(files, bounds) : null;
  const problems = (records ?? revocations)?.problems ?? [];
  return problems.length === 0 ? { ok: true, records, revocations } : { ok: false, code: 'registry_invalid', problems };
}

function refusal(code: Refusal['code'], message: string): Refusal {
  return { code, problems: [problem('registry', message)] };
}

function problem(file: string, message: string): Problem {
  return { file, line: null, field: null, message };
}
