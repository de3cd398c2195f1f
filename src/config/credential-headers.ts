/** Headers that carry a credential, or what a gateway vouches for: they never reach a policy or a log. */
const CREDENTIAL_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'dpop',
  'apikey',
  'x-api-key',
  'x-auth',
  'x-countersign-pep-token',
  'x-forwarded-client-cert',
  'x-client-cert',
  'client-cert',
  'client-cert-chain',
  'ssl-client-cert',
  'x-ssl-client-cert',
  'x-forwarded-tls-client-cert',
  'x-arr-clientcert',
  'signature-key',
  'aauth-access',
]);

/** Words that name a secret inside a header name: `x-custom-token`, `x_amz_security_token`, `my-api-key`. */
const CREDENTIAL_WORD = /(^|[-_.])(api[-_.]?keys?|tokens?|secrets?|passwords?|passwd|cookies?|authorization|credentials?|bearer)($|[-_.])/;

/** Why a header may not be shown to a policy, or null where it may. Underscores and dots count as dashes (USER-ASKS 15). */
export function credentialReason(header: string): string | null {
  const plain = header.toLowerCase().replace(/[_.]/g, '-');
  return CREDENTIAL_HEADERS.has(plain) || CREDENTIAL_WORD.test(plain) ? 'is a header that carries a credential' : null;
}
