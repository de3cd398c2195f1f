import type { ErrorCode } from '../contract/codes.ts';

/** One thing that is wrong with the files; it names no value. */
export type Problem = {
  readonly file: string;
  /** Of the entry, from 1; null where the file as a whole is meant. */
  readonly line: number | null;
  /** For example `keys[3].hash`. */
  readonly field: string | null;
  readonly message: string;
};

export type RegistryErrorCode = Extract<ErrorCode, 'registry_missing' | 'registry_invalid' | 'registry_too_large'>;

/** Why files were not taken. */
export type Refusal = { readonly code: RegistryErrorCode; readonly problems: readonly Problem[] };

/** Problems that are told; the rest is only counted. */
const SHOWN_MAX = 20;

/** `keys.yaml:12 keys[3].hash: must be …`. */
export function problemText({ file, line, field, message }: Problem): string {
  return `${file}${line === null ? '' : `:${line}`}${field === null ? '' : ` ${field}`}: ${message}`;
}

/** The texts of the first problems, and how many more there are. */
export function problemTexts(problems: readonly Problem[]): string[] {
  const texts = problems.slice(0, SHOWN_MAX).map(problemText);
  if (problems.length > SHOWN_MAX) texts.push(`and ${problems.length - SHOWN_MAX} more`);
  return texts;
}

/** Collects problems without keeping a million of them. */
export class Problems {
  readonly list: Problem[] = [];

  add(file: string, line: number | null, field: string | null, message: string): void {
    if (this.list.length < 1000) this.list.push({ file, line, field, message });
  }
}
