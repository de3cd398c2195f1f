import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readBundle } from '../../src/decide/bundle.ts';
import { parseInputPaths } from '../../src/decide/input.ts';
import { BEHAVIOUR_FIELDS, DEVICE_FIELDS } from '../../src/decide/remembered-schema.ts';
import { baseBundle } from './fixtures.ts';

/* Issue 5 part 5: a number that no template uses is left out. */

/** How the signal itself is, and not what it says of the client. */
const HEALTH = ['learning', 'degraded', 'history_lost'];
const Nested = z.object({ anyOf: z.array(z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() })) });

/** Paths of all numbers and of what is true or false about the client; texts and flags are no numbers. */
function numbersOf(fields: Readonly<Record<string, z.ZodType>>): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    if (field.safeParse(1).success || (field.safeParse(true).success && !HEALTH.includes(name))) return [name];
    const nested = Nested.safeParse(z.toJSONSchema(field));
    return Object.keys(nested.data?.anyOf.find(({ properties }) => properties !== undefined)?.properties ?? {}).map(
      (part) => `${name}.${part}`,
    );
  });
}

describe('every number that is remembered of clients is read by a rule of the base pack', async () => {
  const bundle = await readBundle(await baseBundle());
  const paths = (parseInputPaths(bundle.manifest.metadata.countersign?.input) ?? []).map((path) => path.join('.'));

  it.each([
    ['device', DEVICE_FIELDS, ['new_for_client', 'first_seen', 'shared_by_clients', 'known']],
    ['behaviour', BEHAVIOUR_FIELDS, ['requests_minute_mean', 'outcomes.failure', 'outcomes.abuse', 'country_new']],
  ] as const)('%s', (signal, fields, some) => {
    const numbers = numbersOf(fields);
    expect(numbers).toEqual(expect.arrayContaining([...some]));
    expect(numbers.filter((name) => !paths.includes(`signals.${signal}.value.${name}`))).toEqual([]);
  });
});
