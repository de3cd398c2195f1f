import { wrongRoute } from './route-data.ts';

const SEGMENT = /^[^{}*?#]+$/;
const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)(\*)?\}$/;

/** A path of the catalogue, read. */
export type PathPattern = {
  /** Literal segments; null for a parameter. */
  readonly parts: readonly (string | null)[];
  /** Of the parameters by segment, empty for literal ones; that of `{name*}` too. */
  readonly names: readonly string[];
  readonly rest: boolean;
};

/** @throws CountersignError bundle_routes_invalid, the field is the id */
export function readPattern(id: string, path: string): PathPattern {
  const segments = withoutTrailingEmpty(path.slice(1).split('/'));
  const parts: (string | null)[] = [];
  const names: string[] = [];
  let rest = false;
  segments.forEach((segment, index) => {
    const parameter = PARAMETER.exec(segment);
    if (parameter === null && !SEGMENT.test(segment))
      throw wrongRoute(id, `segment ${index + 1} of the path is not a name, {name} or {name*}`);
    const name = parameter?.[1] ?? '';
    if (name !== '' && names.includes(name)) throw wrongRoute(id, 'a parameter has the same name twice');
    names.push(name);
    rest = parameter?.[2] === '*';
    if (rest && index !== segments.length - 1) throw wrongRoute(id, '{name*} is not at the end');
    if (!rest) parts.push(parameter === null ? segment : null);
  });
  return { parts, names, rest };
}

/** `/orders/` and `/orders` are one resource here, so that a trailing slash never leads past a rule. */
export function withoutTrailingEmpty(segments: readonly string[]): readonly string[] {
  return segments.length > 0 && segments[segments.length - 1] === '' ? segments.slice(0, -1) : segments;
}
