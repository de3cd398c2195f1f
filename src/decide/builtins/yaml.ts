import { parseAllDocuments, stringify } from 'yaml';
import { atMost, type Builtin, type BuiltinTable, ofTexts } from './builtin.ts';
import { marshal } from './json-marshal.ts';
import { fromJson, type RegoValue } from './value.ts';

/* YAML 1.2. Aliases are few, so that a short text cannot be a long value. */

/** The worst text of this length takes about 40 ms to read: a policy may read YAML that a client wrote. */
const CHARS_MAX = 8_192;
const ALIASES_MAX = 100;

type Read = { readonly value: RegoValue } | undefined;

/** The first document; undefined where any is malformed. */
function read(text: string): Read {
  atMost(text.length, CHARS_MAX, 'characters');
  const documents = parseAllDocuments(text, { version: '1.2', merge: true, intAsBigInt: true, uniqueKeys: false, logLevel: 'silent' });
  const listed = Array.isArray(documents) ? documents : [];
  if (listed.some(({ errors }) => errors.length > 0)) return undefined;
  const value = listed[0] === undefined ? null : fromJson(listed[0].toJS({ maxAliasCount: ALIASES_MAX }));
  return value === undefined ? undefined : { value };
}

const isValid: Builtin = ([text]) => {
  if (typeof text !== 'string') return false;
  try {
    return read(text) !== undefined;
  } catch (error) {
    if (error instanceof ReferenceError) return false;
    throw error;
  }
};

const marshalYaml: Builtin = ([value]) => {
  if (value === undefined) return undefined;
  // by way of JSON, as OPA does it
  const plain: unknown = JSON.parse(marshal(value, null, 0));
  return stringify(plain, { version: '1.2', indent: 2, lineWidth: 0, sortMapEntries: true });
};

export const YAML: BuiltinTable = {
  'yaml.is_valid': isValid,
  'yaml.marshal': marshalYaml,
  'yaml.unmarshal': ofTexts(1, (text) => read(text)?.value),
};
