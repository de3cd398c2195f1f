import type { RequestFlag } from '../contract/request.ts';

/**
 * The flags of a target, and whether the flag alone makes it ambiguous. A combination may do so where a flag does not:
 * a leading `//` (an authority for resolvers such as WHATWG URL), empty segments together with dot segments (merging first or
 * resolving first gives two paths), and a parameter on an empty or dot segment (`/..;/`, which servlet containers resolve).
 */
export const TARGET_FLAGS = {
  path_dot_segments: false,
  path_double_slash: false,
  path_parameters: false,
  path_absolute_form: false,
  query_invalid_encoding: false,
  query_duplicate_key: false,
  query_capped: false,
  path_backslash: true,
  path_encoded_slash: true,
  path_encoded_backslash: true,
  path_double_encoded: true,
  path_encoded_dot: true,
  path_nul: true,
  path_control: true,
  path_invalid_encoding: true,
  path_invalid_utf8: true,
  path_fragment: true,
  path_form_unknown: true,
  path_too_long: true,
  segments_capped: true,
} as const satisfies Partial<Record<RequestFlag, boolean>>;

/** Notes flags once each, in order of discovery. */
export type Noted = { readonly flags: RequestFlag[]; ambiguous: boolean };

/** Adds a flag of the table; whether it makes the target ambiguous is read there. */
export function note(noted: Noted, flag: keyof typeof TARGET_FLAGS): void {
  if (!noted.flags.includes(flag)) noted.flags.push(flag);
  if (TARGET_FLAGS[flag]) noted.ambiguous = true;
}
