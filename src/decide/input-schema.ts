import { z } from 'zod';
import { AGREEMENT_PAIRS } from '../contract/agreement.ts';
import { REQUEST_FLAGS } from '../contract/request.ts';
import { TIERS } from '../contract/route.ts';
import { API_KEY_VALUE, CLIENT } from './input-caller-schema.ts';
import { flag, json, number, seconds, secondsOrNull, signal, text, textOrNull, texts } from './input-fields.ts';
import { ActorInput, DelegationInput, DetailsInput, PairsInput, TxnTokenInput } from './input-schema-delegation.ts';
import { SourcesInput } from './input-sources.ts';
import { Lists, UnavailableLists } from './list-facts.ts';
import { McpInput } from './mcp/input.ts';
import { DATA_FIELDS, PLACE_FIELDS } from './network-schema.ts';
import { RATE_FIELDS } from './rate-schema.ts';
import { BEHAVIOUR_FIELDS, DEVICE_FIELDS } from './remembered-schema.ts';
import { Signature } from './signature-schema.ts';

/*
 * The policy authors' type: what `input` is in Rego, version 1. It is total: every key is always there; null, [] or {} where nothing is known.
 * `opa check` reads neither `oneOf` nor what lies below a nullable object, so `input-schema-json.ts` merges both into one object.
 */

const Windows = z
  .strictObject({
    '10s': number('in the last 10 seconds'),
    '1m': number('in the last minute'),
    '10m': number('in the last 10 minutes'),
    '1h': number('in the last hour'),
  })
  .nullable();

const Token = signal('The access token', {
  issuer: text('iss'),
  subject: textOrNull('sub'),
  client_id: textOrNull('client_id, else azp'),
  audience: texts('aud, always a list'),
  scopes: texts('From scope or scp; at most 256'),
  expires_at: secondsOrNull('exp'),
  issued_at: secondsOrNull('iat'),
  not_before: secondsOrNull('nbf'),
  age_seconds: z.number().nullable().describe('Seconds since iat, or null'),
  acr: textOrNull('Authentication context class'),
  amr: texts('Authentication methods'),
  auth_time: secondsOrNull('When the user authenticated'),
  auth_age_seconds: z.number().nullable().describe('Seconds since auth_time, or null'),
  jti_hash: textOrNull('SHA-256 of jti, base64url'),
  binding: z
    .enum(['none', 'matched', 'unchecked'])
    .describe('none: no cnf; matched: what cnf names was proven; unchecked: cnf names something that is not judged here'),
  actor: ActorInput,
  delegation: DelegationInput,
  authorization_details: DetailsInput,
  roles: texts('RFC 9068; of SCIM objects their value'),
  groups: texts('Likewise'),
  entitlements: texts('Likewise'),
  claims: json(
    'The claims that `input.claims` of the config names. Integers above 2^53 have lost their last digits: compare ids as strings',
  ),
  verified_by: z
    .enum(['countersign', 'introspection', 'pep'])
    .describe('countersign: by its signature; introspection: its server says so; pep: the gateway verified it and is trusted for claims'),
  introspected_at: secondsOrNull('When its authorization server last called it active'),
  keys_age_seconds: z.number().nullable().describe('Seconds since the keys that it was verified with were last fetched, or null'),
});

const Certificate = signal('The client certificate', {
  sha256: textOrNull('Lower-case hex of the DER'),
  subject: textOrNull('Distinguished name'),
  issuer: textOrNull('Distinguished name'),
  serial: textOrNull('Lower-case hex'),
  uris: texts('URI SANs'),
  dns: texts('DNS SANs'),
  spiffe_id: textOrNull('Where svid is valid'),
  svid: z.enum(['none', 'valid', 'ambiguous', 'invalid']).describe('Whether it is an X.509-SVID: none has no URI SAN of the scheme spiffe'),
  not_before: secondsOrNull('Start of validity'),
  not_after: secondsOrNull('End of validity'),
  days_left: z.number().nullable().describe('Whole days until not_after (negative when expired), or null'),
  key_usage: texts('digital_signature, key_agreement and so on; empty where it does not say'),
  chain: z
    .enum(['verified', 'asserted', 'unchecked'])
    .describe('verified here up to a trust bundle; asserted: the gateway verified it; unchecked: only its fields were handed on'),
  trust_bundle: textOrNull('Name of the bundle that the chain ends in'),
  revocation: z
    .enum(['good', 'stale', 'unknown', 'unchecked'])
    .describe('What the revocation lists say; stale: by a list that is out of date; a revoked certificate is invalid'),
});

const Binding = signal('Whether the token is bound to a key or certificate that was proven', {
  method: z.enum(['dpop', 'mtls']).describe('dpop: RFC 9449, also where a certificate was proven beside it; mtls: RFC 8705'),
  thumbprint: text('jkt or x5t#S256, base64url'),
  proven: flag("False where only the certificate's fields were handed on"),
  issued_at: secondsOrNull('iat of the proof'),
  nonce: flag('The proof carries a nonce of this service'),
});

const ApiKey = signal('The API key', API_KEY_VALUE);
const TxnToken = signal('The transaction token of the header txn-token', TxnTokenInput);

const Network = signal('What is known of the client address', {
  address: text('Canonical; IPv4-mapped IPv6 is IPv4'),
  family: number('4 or 6'),
  prefix: text('The address as /32, or its /64'),
  country: textOrNull('ISO 3166-1 alpha-2'),
  country_source: textOrNull('database or registry'),
  continent: textOrNull('Two letters'),
  city: textOrNull('English name'),
  ...PLACE_FIELDS,
  asn: z.number().nullable().describe('Autonomous system number'),
  as_org: textOrNull('Its organisation'),
  kinds: texts('business, hosting, mobile, proxy, residential, tor, vpn'),
  ...DATA_FIELDS,
  lists: Lists.describe('Lists that the address or its AS is on'),
  lists_unavailable: UnavailableLists.describe('Lists that cannot be relied on: not on one of these means nothing'),
  code: textOrNull('Why geographic data is missing though the address is known'),
});

const Rate = signal('Requests in sliding windows, this one included', {
  client: Windows.describe('Of the verified client, or null'),
  address: Windows.describe('Of the address (IPv6: its /64), or null'),
  token: Windows.describe('Of the verified token, or null'),
  route: Windows.describe('Of the route, or null'),
  ...RATE_FIELDS,
  degraded: flag('A part of the counts is missing'),
  history_lost: flag('The store lost its windows within the longest window'),
  pep: z
    .strictObject({ count: number('Requests'), window_seconds: number('Seconds') })
    .nullable()
    .describe('What a gateway trusted for rate counted itself, or null'),
});

const Request = z.strictObject({
  method: textOrNull('As sent; null without an HTTP request'),
  scheme: textOrNull('http or https'),
  host: textOrNull('Lower case, without port'),
  path: textOrNull('Canonical: decoded once, dot segments resolved'),
  path_raw: textOrNull('As sent, without the query'),
  segments: texts('Of the canonical path; at most 64'),
  query: z.record(z.string(), z.array(z.string())).describe('Name to values; at most 64 names'),
  headers: z.record(z.string(), z.string()).describe('Headers that `input.headers` of the config names; several values joined by ", "'),
  headers_all: z.record(z.string(), z.array(z.string())).describe('The same, values apart'),
  flags: z.array(z.enum(REQUEST_FLAGS)).describe('What was odd about the request or the chain that its address was taken from'),
  address_lists: Lists.describe('Lists that the client address is on, also where signals.network is unavailable'),
  address_lists_unavailable: UnavailableLists.describe('Lists that cannot be relied on, also where signals.network is unavailable'),
  body: z
    .strictObject({
      status: z.enum(['absent', 'parsed', 'unparsed', 'truncated']).describe('Never take unparsed or truncated for absent'),
      reason: textOrNull('no_content_type, content_type, invalid_json, too_large'),
      content_type: textOrNull('As sent'),
      size: z.number().nullable().describe('Bytes, or null'),
      json: z.unknown().describe('The parsed body up to 64 KiB, else null'),
    })
    .describe("The client's body"),
  tls: z.strictObject({ sni: textOrNull('Server name'), version: textOrNull('For example TLSv1.3') }).describe("The client's connection"),
});

/** `input`, version 1. */
export const EvaluationInput = z.strictObject({
  version: z.literal(1).describe('Of this form'),
  id: text('The decision id, UUIDv7'),
  time: z
    .strictObject({
      unix_seconds: seconds('When the request was received'),
      rfc3339: text('The same, UTC'),
      hour_utc: number('0 to 23'),
      weekday_utc: number('1 Monday to 7 Sunday'),
    })
    .describe('The only clock of a policy, so that a record replays to the same decision'),
  pep: z.strictObject({ name: text('As configured') }).describe('The gateway that asks'),
  subject: z
    .strictObject({
      type: text('user where the subject differs from the client, else client'),
      id: textOrNull('Of the token, or asserted'),
      asserted: flag('Only the gateway said so'),
      registered: flag('The registry has a record of the client'),
      properties: json('As sent, of a subject that is only asserted'),
      client: CLIENT,
    })
    .describe('AuthZEN subject'),
  action: z.strictObject({ name: textOrNull('The method for HTTP requests'), properties: json('As sent') }).describe('AuthZEN action'),
  resource: z
    .strictObject({ type: textOrNull('route for HTTP requests'), id: textOrNull('The route id or unknown'), properties: json('As sent') })
    .describe('AuthZEN resource'),
  context: json('AuthZEN context as the gateway sent it'),
  request: Request.describe("The client's HTTP request"),
  route: z
    .strictObject({
      status: z.enum(['matched', 'unknown', 'ambiguous', 'none']).describe('none: no HTTP request'),
      id: text('unknown where nothing matched'),
      tier: z.enum(TIERS).describe('critical where nothing matched'),
      scopes: texts('What a token needs'),
      public: flag('Anybody may call it'),
      parameters: z.record(z.string(), z.string()).describe('Of the path pattern'),
      mcp: textOrNull('The MCP server of limits.mcp that is behind it'),
    })
    .describe('The route of the catalogue'),
  evidence: z
    .strictObject({
      methods: texts('token, api_key, certificate, dpop, mtls_bound, txn_token, asserted_claims'),
      assurance: number('0 nothing or asserted, 1 API key, 2 verified token, 3 token or key with a client certificate, 4 proven binding'),
      binding: z
        .enum(['none', 'matched', 'mismatched', 'unchecked'])
        .describe('Of the token: mismatched makes it invalid; unchecked: bound, and not judged here or not just now'),
      agreement: z
        .strictObject({
          client: z.enum(['none', 'single', 'agreed', 'conflict']).describe('conflict: two pieces name different clients'),
          conflicts: z.array(z.enum(AGREEMENT_PAIRS)).describe('The pairs in conflict'),
          pairs: PairsInput,
        })
        .describe('Whether the evidence agrees'),
    })
    .describe('What was verified'),
  signals: z
    .strictObject({
      token: Token,
      certificate: Certificate,
      binding: Binding,
      api_key: ApiKey,
      signature: Signature,
      txn_token: TxnToken,
      network: Network,
      rate: Rate,
      device: signal('What asks', DEVICE_FIELDS),
      behaviour: signal('What the client does', BEHAVIOUR_FIELDS),
    })
    .describe('Each in one of four states'),
  sources: SourcesInput.describe(
    'Configured sources of attributes (sources.md) by their names; all of them, also those that were not asked',
  ),
  mcp: McpInput,
});
export type EvaluationInput = z.infer<typeof EvaluationInput>;
