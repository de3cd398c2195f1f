import { z } from 'zod';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { SourceSignals } from '../contract/sources.ts';
import { json, number, seconds, signal } from './input-fields.ts';

/** `input.sources`: names and attributes are the configuration's, so that `opa check` cannot know them. */
export const SourcesInput = z.record(
  z.string(),
  signal('One source', {
    attributes: json(
      'By their configured names: texts, numbers, booleans, lists of texts; null for an optional one that was not in the answer',
    ),
    fetched_at: seconds('When the answer came'),
    age_seconds: number('Since then, in seconds'),
  }),
);

const NONE: JsonObject = {};

/** What the sources say, as Rego reads it. */
export function sourcesOf(sources: SourceSignals | undefined, nowSeconds: number): JsonValue {
  if (sources === undefined) return NONE;
  const shown: Record<string, JsonValue> = {};
  for (const [name, known] of Object.entries(sources)) {
    if (known.status !== 'present') {
      shown[name] = { status: known.status, code: known.code };
      continue;
    }
    const { attributes, fetchedAt } = known.value;
    shown[name] = {
      status: 'present',
      value: { attributes, fetched_at: fetchedAt, age_seconds: Math.max(0, nowSeconds - fetchedAt) },
    };
  }
  return shown;
}
