import { CountersignError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { SourceCode } from '../../contract/sources.ts';
import { fillText, type Placeholder, type PlaceholderValues, parseTextTemplate, placeholdersOf } from '../../formats/placeholder.ts';
import { fillUrl, parseUrlTemplate } from '../../formats/url-template.ts';
import type { SourceOptions } from './options.ts';
import { type QuestionFacts, templateValues } from './template-values.ts';

/** What is sent, and by what its answer is known again. */
export type Question = { readonly key: string; readonly target: string; readonly body: string | null };
type Unasked = Extract<SourceCode, 'placeholder_missing' | 'placeholder_refused'>;

/** The compiled templates of one source. */
export type QuestionTemplate = { readonly origin: string; readonly fill: (facts: QuestionFacts) => Question | Unasked };

/**
 * Compiles address and body once.
 * @throws CountersignError config_invalid, which the configuration has refused before
 */
export function compileQuestion({ name, url: text, body }: SourceOptions): QuestionTemplate {
  const url = parseUrlTemplate(text);
  if ('problem' in url) throw new CountersignError('config_invalid', { field: `sources.${name}.url` });
  const written = body === null ? null : compileBody(body);
  const placeholders: readonly Placeholder[] = [...new Set([...url.placeholders, ...(written?.placeholders ?? [])])];
  return {
    origin: url.origin,
    fill(facts) {
      const values = templateValues(placeholders, facts);
      if (typeof values === 'string') return values;
      const target = fillUrl(url, values);
      if (target === null) return 'placeholder_refused';
      // the values alone would do: all else is the configuration's, and they stand in its order
      return { key: JSON.stringify([...values.values()]), target, body: written === null ? null : JSON.stringify(written.fill(values)) };
    },
  };
}

type Filler = { readonly placeholders: readonly Placeholder[]; readonly fill: (values: PlaceholderValues) => JsonValue };

function compileBody(value: unknown): Filler {
  if (typeof value === 'string') {
    const template = parseTextTemplate(value);
    if ('problem' in template) throw new CountersignError('config_invalid', { field: 'sources.body' });
    return { placeholders: placeholdersOf(template), fill: (values) => fillText(template, values) };
  }
  if (Array.isArray(value)) {
    const fillers = value.map(compileBody);
    return {
      placeholders: fillers.flatMap(({ placeholders }) => placeholders),
      fill: (values) => fillers.map((filler) => filler.fill(values)),
    };
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, member]) => ({ name, filler: compileBody(member) }));
    return {
      placeholders: members.flatMap(({ filler }) => filler.placeholders),
      fill: (values) => Object.fromEntries(members.map(({ name, filler }) => [name, filler.fill(values)])),
    };
  }
  if (value !== null && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new CountersignError('config_invalid', { field: 'sources.body' });
  }
  return { placeholders: [], fill: () => value };
}
