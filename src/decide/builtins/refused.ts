/* Builtins of OPA that are not offered, and why. A bundle that calls one is refused at load by its name. */

const ASKS = 'policies ask nobody';
const KEYS = 'a policy holds no private keys and signs nothing';
const CLOUD = 'a policy holds no cloud credentials and signs nothing';
const GRAPHQL = 'GraphQL documents are not parsed in a policy';
const SCHEMA = 'the input and the data are checked against their schemas before a policy sees them';

export const REFUSED: Readonly<Record<string, string>> = {
  'http.send': 'policies ask nobody; configure an attribute source and have the policy collect it (docs/sources.md)',
  'net.lookup_ip_addr': ASKS,
  'crypto.parse_private_keys': KEYS,
  'crypto.x509.parse_keypair': KEYS,
  'crypto.x509.parse_rsa_private_key': KEYS,
  'crypto.x509.parse_certificate_request': 'a signing request is no evidence of who asks',
  'crypto.x509.parse_and_verify_certificates': 'chains are verified by the certificate signal (docs/identity.md)',
  'crypto.x509.parse_and_verify_certificates_with_options': 'chains are verified by the certificate signal (docs/identity.md)',
  'graphql.is_valid': GRAPHQL,
  'graphql.parse': GRAPHQL,
  'graphql.parse_and_verify': GRAPHQL,
  'graphql.parse_query': GRAPHQL,
  'graphql.parse_schema': GRAPHQL,
  'graphql.schema_is_valid': GRAPHQL,
  'io.jwt.encode_sign': KEYS,
  'io.jwt.encode_sign_raw': KEYS,
  'json.match_schema': SCHEMA,
  'json.verify_schema': SCHEMA,
  'providers.aws.sign_req': CLOUD,
  'regex.globs_match': 'its time grows exponentially with what it is given; glob.match is there',
  'rego.metadata.chain': 'OPA resolves it when it compiles a rule; elsewhere it has no value',
  'rego.metadata.rule': 'OPA resolves it when it compiles a rule; elsewhere it has no value',
  'rego.parse_module': 'Rego is compiled at build time only',
  'strings.render_template': 'templates of Go are a language of their own; use sprintf',
  'internal.test_case': 'tests run in OPA, not in the service',
};
