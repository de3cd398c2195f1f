import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';

/** Folder of the published test vectors; they are read in place and never committed. */
export const VECTORS_DIR = process.env['VECTORS_DIR'] ?? join(import.meta.dirname, '../../../shared/vectors');

/**
 * Registers the one test that stands for a missing vector file: skipped, and failing with `CI=true`.
 * Call only while tests are collected.
 */
function registerMissing(path: string): void {
  if (process.env['CI'] === 'true') {
    test(`vectors are there: ${path}`, () => {
      expect.fail(`the vector file ${path} is missing (VECTORS_DIR)`);
    });
    return;
  }
  test.skip(`vectors missing: ${path}`);
}

/** Bytes of a vector file, or null (and one skipped test) where it is missing. */
export function vectorBytes(topic: string, file: string): Buffer | null {
  const path = join(VECTORS_DIR, topic, file);
  if (!existsSync(path)) {
    registerMissing(`${topic}/${file}`);
    return null;
  }
  return readFileSync(path);
}

/** The whole JSON document of a vector file (`fixture`, `cases`, facts), or null where it is missing. */
export function vectorDocument(topic: string, file: string): JsonObject | null {
  const bytes = vectorBytes(topic, file);
  if (bytes === null) return null;
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  if (!isJsonObject(parsed)) throw new Error(`${topic}/${file} is no JSON object`);
  return parsed;
}

const ANY_CASE = z.looseObject({ id: z.string() });

/** A case whose members the test looks at by itself. */
export type VectorCase = z.infer<typeof ANY_CASE>;

/**
 * The cases of one vector file, each checked against `schema` (by default only `id` is asked for), so that a changed vector
 * is noticed; `.jsonl.gz` files are read line by line. Where the file is missing the result is empty and one skipped test
 * says so (a failing one with `CI=true`): call it inside a `describe`, which then is never empty.
 */
export function vectorCases(topic: string, file: string): readonly VectorCase[];
export function vectorCases<T>(topic: string, file: string, schema: z.ZodType<T>): readonly T[];
export function vectorCases(topic: string, file: string, schema: z.ZodType<unknown> = ANY_CASE): readonly unknown[] {
  return rawCases(topic, file).map((raw) => schema.parse(raw));
}

function rawCases(topic: string, file: string): readonly unknown[] {
  if (file.endsWith('.jsonl.gz')) {
    const bytes = vectorBytes(topic, file);
    if (bytes === null) return [];
    const lines = gunzipSync(bytes).toString('utf8').split('\n');
    return lines.filter((line) => line !== '').map((line): unknown => JSON.parse(line));
  }
  const document = vectorDocument(topic, file);
  if (document === null) return [];
  const cases = document['cases'];
  if (!Array.isArray(cases)) throw new Error(`${topic}/${file} has no cases`);
  return cases;
}
