import type { Identity } from '../../contract/identity.ts';
import { clientAddressOf, type NetworkSignal } from '../../contract/network.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Route } from '../../contract/route.ts';
import type { Placeholder, PlaceholderValues } from '../../formats/placeholder.ts';

/** What a question can be made from. */
export type QuestionFacts = {
  readonly request: DecisionRequest;
  readonly identity: Identity;
  readonly network: NetworkSignal;
  readonly route: Route;
};

type Known = string | number | null | undefined;

const VALUE_CHARS_MAX = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

const READERS: Readonly<Record<Exclude<Placeholder, `claims.${string}`>, (facts: QuestionFacts) => Known>> = {
  'subject.id': ({ identity }) => (identity.subject.asserted ? null : identity.subject.id),
  'subject.client': ({ identity }) => identity.subject.client,
  'token.issuer': ({ identity }) => verifiedToken(identity)?.issuer,
  'api_key.id': ({ identity: { signals } }) => (signals.apiKey.status === 'present' ? signals.apiKey.value.id : null),
  'network.address': ({ network }) => clientAddressOf(network),
  'network.asn': ({ network }) => (network.status === 'present' ? network.value.asn : null),
  'network.country': ({ network }) => (network.status === 'present' ? network.value.country : null),
  'route.id': ({ route }) => (route.status === 'matched' ? route.id : null),
  'request.method': ({ request }) => request.http?.method,
  'request.host': ({ request }) => request.http?.host,
  'pep.name': ({ request }) => request.pep.name,
};

/**
 * The values for a template. What only the gateway asserts is as if it were not there: `placeholder_missing`; so is an empty value.
 * `placeholder_refused`: one that is longer than 512 characters, not well-formed, or has control characters.
 */
export function templateValues(
  placeholders: readonly Placeholder[],
  facts: QuestionFacts,
): PlaceholderValues | 'placeholder_missing' | 'placeholder_refused' {
  const values = new Map<string, string>();
  for (const placeholder of placeholders) {
    const known = isClaim(placeholder) ? claimOf(placeholder.slice('claims.'.length), facts.identity) : READERS[placeholder](facts);
    if (known === null || known === undefined || known === '') return 'placeholder_missing';
    const value = String(known);
    if (value.length > VALUE_CHARS_MAX || !value.isWellFormed() || CONTROL.test(value)) return 'placeholder_refused';
    values.set(placeholder, value);
  }
  return values;
}

function verifiedToken({ signals: { token } }: Identity) {
  return token.status === 'present' && token.value.verifiedBy !== 'pep' ? token.value : null;
}

/** A text, a whole number that has all its digits, or a boolean. */
function claimOf(name: string, identity: Identity): Known {
  const claims = verifiedToken(identity)?.claims;
  const value = claims !== undefined && Object.hasOwn(claims, name) ? claims[name] : null;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  return typeof value === 'string' ? value : null;
}

function isClaim(placeholder: Placeholder): placeholder is `claims.${string}` {
  return placeholder.startsWith('claims.');
}
