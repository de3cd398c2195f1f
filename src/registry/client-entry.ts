import { z } from 'zod';
import { CLIENT_STATUSES, CLIENT_TYPES, type ClientRecord } from '../contract/registry.ts';
import { clientId, freeText, issuer, listOf, networks, scopes } from './entry-forms.ts';

const spiffeId = z.string().regex(/^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]+)+$/, 'must be a SPIFFE id with a path');
const country = z.string().regex(/^[A-Z]{2}$/, 'must be a country by ISO 3166-1 alpha-2, such as DE');
const tag = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/, 'must be 1 to 64 letters, digits and . _ : / -');
const tier = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9, - and _');

/** How a client is known on the wire, by the kind before the colon. */
const FINGERPRINTS = {
  sha256: /^sha256:([0-9a-f]{64})$/,
  ja3: /^ja3:([0-9a-f]{32})$/,
  ja4: /^ja4:([tqd][0-9a-z]{2}[di][0-9]{4}[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12})$/,
} as const;
const fingerprint = z
  .string()
  .transform((text) => text.replace(/^sha256:[0-9A-Fa-f:]+$/, (one) => `sha256:${one.slice(7).replaceAll(':', '').toLowerCase()}`))
  .refine(
    (text) => Object.values(FINGERPRINTS).some((form) => form.test(text)),
    'must be sha256:<hex> of a certificate, ja3:<hex> or ja4:<ja4>',
  );

/** `clients[]` as it is written. */
export const clientEntry = z
  .strictObject({
    clientId,
    name: freeText.nullable().default(null),
    type: z.enum(CLIENT_TYPES),
    owner: freeText.nullable().default(null),
    tier: tier.nullable().default(null),
    status: z.enum(CLIENT_STATUSES).default('active'),
    issuers: listOf(issuer).default([]),
    spiffeIds: listOf(spiffeId).default([]),
    fingerprints: z.array(fingerprint).max(64, 'must have 64 items at most').default([]),
    networks: networks.default([]),
    countries: listOf(country, 250).default([]),
    scopes: scopes.nullable().default(null),
    tags: listOf(tag).default([]),
  })
  .transform(
    ({ clientId: id, fingerprints, ...rest }): ClientRecord => ({
      ...rest,
      id,
      fingerprints: {
        certificates: of(fingerprints, FINGERPRINTS.sha256),
        ja3: of(fingerprints, FINGERPRINTS.ja3),
        ja4: of(fingerprints, FINGERPRINTS.ja4),
      },
    }),
  );

function of(fingerprints: readonly string[], form: RegExp): string[] {
  return fingerprints.flatMap((one) => form.exec(one)?.[1] ?? []);
}
