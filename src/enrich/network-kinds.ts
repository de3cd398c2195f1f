import type { JsonObject } from '../contract/json.ts';
import { own } from './network-fields.ts';

/** What makes a kind: flags that are set, texts that name one, or a kind of database in which every record is of it. */
type KindSource = {
  readonly kind: string;
  readonly flags: readonly string[];
  /** Lower-case values of the members in `NAMED`. */
  readonly named: readonly string[];
};

/**
 * Members that name a kind in words, anywhere in a record: MaxMind and DB-IP `connection_type` ("Cellular", "Corporate") and `user_type`
 * ("cellular", "business", "hosting", …), IPinfo `as_type` and `type` ("hosting", "business", "isp", "education").
 */
const NAMED = ['connection_type', 'user_type', 'as_type', 'type'] as const;

/** Sorted by kind. Flags are MaxMind's booleans and IPinfo's, which are booleans or the texts `true` and "". */
const KINDS: readonly KindSource[] = [
  { kind: 'business', flags: [], named: ['business', 'corporate'] },
  { kind: 'hosting', flags: ['is_hosting_provider', 'is_hosting', 'hosting'], named: ['hosting', 'content_delivery_network'] },
  { kind: 'mobile', flags: ['is_mobile', 'mobile'], named: ['cellular', 'mobile'] },
  { kind: 'proxy', flags: ['is_public_proxy', 'is_anonymous_proxy', 'is_proxy', 'proxy'], named: [] },
  { kind: 'residential', flags: ['is_residential_proxy', 'is_res_proxy'], named: [] },
  { kind: 'tor', flags: ['is_tor_exit_node', 'is_tor', 'tor'], named: [] },
  { kind: 'vpn', flags: ['is_anonymous_vpn', 'is_vpn', 'vpn'], named: [] },
];

const NO_KINDS: readonly string[] = [];
const RESIDENTIAL: readonly string[] = ['residential'];

/**
 * The kinds of network that a record tells, sorted. `user_type: residential` is none of them: it says that people live there, while the
 * kind stands for proxies on such addresses.
 * @param type `database_type` of the file: each record of MaxMind's Residential Proxy is one, and says so by being there.
 */
export function readKinds(record: JsonObject, traits: JsonObject, type: string | null): readonly string[] {
  if (type?.includes('Residential-Proxy') === true) return RESIDENTIAL;
  const words = wordsOf(record, traits);
  let kinds: string[] | null = null;
  for (const { kind, flags, named } of KINDS) {
    if (named.some((word) => words.includes(word)) || flags.some((name) => isSet(own(record, name)) || isSet(own(traits, name)))) {
      kinds ??= [];
      kinds.push(kind);
    }
  }
  return kinds ?? NO_KINDS;
}

function wordsOf(record: JsonObject, traits: JsonObject): string[] {
  const words: string[] = [];
  for (const name of NAMED) {
    for (const value of [own(record, name), own(traits, name)]) if (typeof value === 'string') words.push(value.toLowerCase());
  }
  // IPinfo's carrier database has records of mobile networks only
  if (typeof own(record, 'mcc') === 'string' && own(record, 'mcc') !== '') words.push('mobile');
  return words;
}

function isSet(value: unknown): boolean {
  return value === true || value === 'true';
}
