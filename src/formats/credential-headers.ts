/** Headers that carry a secret or a voucher under a name that no word below gives away. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'aauth-access',
  'apikey',
  'client-cert',
  'client-cert-chain',
  'dpop',
  'signature',
  'signature-key',
  'ssl-client-cert',
  'workload-proof',
  'x-arr-clientcert',
  'x-auth',
  'x-client-cert',
  'x-forwarded-client-cert',
  'x-forwarded-tls-client-cert',
  'x-ssl-client-cert',
]);

/** Headers by which gateways commonly hand on client certificates; a gateway sets one of them at most, so any other one is the client's. */
const CERTIFICATES: ReadonlySet<string> = new Set([
  'client-cert',
  'client-cert-chain',
  'ssl-client-cert',
  'x-arr-clientcert',
  'x-client-cert',
  'x-forwarded-client-cert',
  'x-forwarded-tls-client-cert',
  'x-ssl-client-cert',
]);

/** Words that name a secret wherever they stand: `x-custom-token`, `my-api-key`, `set-cookie`, `proxy-authorization`. */
const CREDENTIAL_WORD = /(?:^|-)(?:api-?keys?|tokens?|secrets?|passwords?|passwd|cookies?|authorization|credentials?|bearer)(?:-|$)/;
const LOOK_ALIKE = /[_.]/g;

/** A header name as servers that fold names read it: lower case, `_` and `.` as dashes (USER-ASKS 15). */
export function plainHeaderName(name: string): string {
  return name.toLowerCase().replace(LOOK_ALIKE, '-');
}

/** Whether a header, by its plain name, carries a credential or what a gateway vouches for: its values never reach a policy or a log. */
export function isCredentialHeader(plainName: string): boolean {
  return CREDENTIALS.has(plainName) || CREDENTIAL_WORD.test(plainName);
}

/** Whether a header, by its plain name, is known to carry a client certificate. */
export function isCertificateHeader(plainName: string): boolean {
  return CERTIFICATES.has(plainName);
}
