import type { SignatureCode } from '../../contract/signature.ts';
import { memberText } from '../../formats/structured-fields.ts';

type SignedItem = Parameters<typeof memberText>[0] & readonly [unknown, ReadonlyMap<string, unknown>];

/** One covered component (RFC 9421 sections 1.1 and 2). */
export type Component = {
  /** A field in lower case, or a derived component, `@method`. */
  readonly name: string;
  /** The canonical identifier with its parameters, as the base has it: `"signature-agent";key="a"`. */
  readonly text: string;
  /** The same for identifiers that mean the same, in whatever order their parameters stand. */
  readonly identity: string;
  /** `key` of a dictionary, or `name` of a query parameter. */
  readonly member: string | null;
  /** Strictly serialised as a structured field; the lines wrapped as bytes. */
  readonly form: 'plain' | 'sf' | 'bs';
};

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/;
/** `@status` is of responses, and `@signature-params` is there by itself. */
export const DERIVED: ReadonlySet<string> = new Set([
  '@method',
  '@target-uri',
  '@authority',
  '@scheme',
  '@request-target',
  '@path',
  '@query',
  '@query-param',
]);

/**
 * Reads an identifier. Trailers (`tr`), components of the request of a response (`req`), and parameters that are not known change what is meant,
 * and none of them can be seen here: they are unsupported, never left out.
 */
export function readComponent(item: SignedItem): Component | SignatureCode {
  const [name, parameters] = item;
  const text = memberText(item);
  if (typeof name !== 'string' || text === null) return 'signature_malformed';
  const derived = name.startsWith('@');
  if (derived ? !DERIVED.has(name) : !FIELD_NAME.test(name)) return 'signature_component_unsupported';
  let member: string | null = null;
  let strict = false;
  let wrapped = false;
  for (const [parameter, value] of parameters) {
    if (parameter === (derived ? 'name' : 'key') && typeof value === 'string') member = value;
    else if (parameter === 'sf' && value === true && !derived) strict = true;
    else if (parameter === 'bs' && value === true && !derived) wrapped = true;
    else return 'signature_component_unsupported';
  }
  if (derived && (member !== null) !== (name === '@query-param')) return 'signature_component_unsupported';
  // RFC 9421 section 2.1: the bytes of the lines have no members
  if (wrapped && (strict || member !== null)) return 'signature_component_unsupported';
  const form = wrapped ? 'bs' : strict ? 'sf' : 'plain';
  return { name, text, member, form, identity: JSON.stringify([name, member, form]) };
}

/** What names one component for people and policies: the identifier without the quotes around its name. */
export function shownComponent({ name, text }: Component): string {
  return name + text.slice(name.length + 2);
}
