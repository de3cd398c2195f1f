import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/** One case of OPA's own tests (`opa-compliance` of the vectors). */
export const Case = z.object({
  id: z.string(),
  /** The family. */
  dir: z.string(),
  /** Slash path of what is evaluated; null where the case is a query of another form. */
  entrypoint: z.string().nullable(),
  case: z.object({
    note: z.string(),
    modules: z.array(z.string()).optional(),
    data: z.unknown().optional(),
    input: z.unknown().optional(),
    /** Rego text, in place of `input`. */
    input_term: z.string().optional(),
    want_result: z.array(z.record(z.string(), z.unknown())).nullish(),
    want_error: z.string().optional(),
    want_error_code: z.string().optional(),
    strict_error: z.boolean().optional(),
  }),
});
export type Case = z.infer<typeof Case>;

export const VECTORS = process.env['VECTORS_DIR'] ?? join(import.meta.dirname, '../../../../shared/vectors');

/** `JSON.rawJSON`, which the types do not know yet. */
function rawJson(source: string): unknown {
  const make: unknown = Reflect.get(JSON, 'rawJSON');
  return typeof make === 'function' ? make(source) : Number(source);
}

/** A number that a double would lose keeps its text, also when it is written again. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source ? rawJson(context.source) : value,
  );
}

/** Builtins of OPA's test runner, which `opa build` does not know. */
const OF_THE_RUNNER = /\btest\.sleep\b/;

/** True where the case can be compiled by its entry point. */
export function isRunnable({ entrypoint, case: { modules = [] } }: Case): boolean {
  return entrypoint !== null && !modules.some((module) => OF_THE_RUNNER.test(module));
}

/** Every case. */
export function readCases(): readonly Case[] {
  const lines = gunzipSync(readFileSync(join(VECTORS, 'opa-compliance/cases-v1.jsonl.gz')))
    .toString('utf8')
    .split('\n');
  return lines.filter((line) => line !== '').map((line) => Case.parse(parseExactly(line)));
}
