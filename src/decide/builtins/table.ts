import type { BuiltinTable } from './builtin.ts';
import { CHANCE } from './chance.ts';
import { NET } from './cidr.ts';
import { ENCODING } from './encoding.ts';
import { GRAPH } from './graph.ts';
import { HASHES } from './hash.ts';
import { HOST } from './host.ts';
import { JSON_MARSHAL } from './json-marshal.ts';
import { JSON_PATCH } from './json-patch.ts';
import { JWT } from './jwt.ts';
import { NUMBERS } from './numbers.ts';
import { OBJECT_SUBSET } from './object-subset.ts';
import { REFUSED } from './refused.ts';
import { REGEX } from './regex.ts';
import { SEMVER } from './semver.ts';
import { SPRINTF } from './sprintf.ts';
import { STRINGS } from './strings.ts';
import { TIME } from './time.ts';
import { UNITS } from './units.ts';
import { URI } from './uri.ts';
import { URL_QUERY } from './url-query.ts';
import { X509 } from './x509.ts';
import { YAML } from './yaml.ts';

/** Every builtin that OPA's Wasm leaves to the host and that is offered, a family a file. All others are in the Wasm, or refused. */
export const BUILTINS: BuiltinTable = {
  ...CHANCE,
  ...ENCODING,
  ...GRAPH,
  ...HASHES,
  ...HOST,
  ...JSON_MARSHAL,
  ...JSON_PATCH,
  ...JWT,
  ...NET,
  ...NUMBERS,
  ...OBJECT_SUBSET,
  ...REGEX,
  ...SEMVER,
  ...SPRINTF,
  ...STRINGS,
  ...TIME,
  ...UNITS,
  ...URI,
  ...URL_QUERY,
  ...X509,
  ...YAML,
};

/** The builtins of `needed` that are not there, each with why where that is known. */
export function missingBuiltins(needed: readonly string[]): string[] {
  return needed
    .filter((name) => !Object.hasOwn(BUILTINS, name))
    .map((name) => (Object.hasOwn(REFUSED, name) ? `${name}: ${REFUSED[name]}` : name));
}

/** What of the input a builtin reads by itself, as paths below `input`: `opa deps` does not see it. */
const READS: Readonly<Record<string, readonly string[]>> = {
  'time.now_ns': ['time', 'rfc3339'],
  'io.jwt.decode_verify': ['time', 'rfc3339'],
  'uuid.rfc4122': ['id'],
  'rand.intn': ['id'],
};

/** The input paths that a module's builtins need. */
export function inputPathsOf(needed: readonly string[]): readonly (readonly string[])[] {
  return needed.flatMap((name) => (Object.hasOwn(READS, name) ? [READS[name] ?? []] : []));
}
