import { z } from 'zod';
import { parseKeyedHash } from '../formats/api-key-hash.ts';
import { API_KEY_ID } from '../formats/api-key-text.ts';
import { clientId, freeText, moment, networks, scopes } from './entry-forms.ts';

/** `keys[]` as it is written: the hash of a key, never the key. */
export const keyEntry = z.strictObject({
  id: z.string().regex(API_KEY_ID, 'must be the id of an API key: what stands between the two underscores, 15 letters and digits'),
  client: clientId,
  hash: z.string().transform((text, context) => {
    const hash = parseKeyedHash(text);
    if (hash !== null) return hash;
    context.addIssue({ code: 'custom', message: 'must be hmac-sha256:<hash key id>:<base64url>, as `countersign keys create` prints it' });
    return z.NEVER;
  }),
  name: freeText.nullable().default(null),
  /** Left out: those of the client. */
  scopes: scopes.nullable().default(null),
  expiresAt: moment.nullable().default(null),
  networks: networks.default([]),
});

export type KeyEntry = z.output<typeof keyEntry>;
