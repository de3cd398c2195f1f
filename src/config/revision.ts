import { createHash } from 'node:crypto';
import { maskConfig } from './mask.ts';
import type { Config } from './schema.ts';

/**
 * Names an effective configuration: 16 hex digits, the same on every replica that runs the same. Made without what is secret, since a secret that can be
 * guessed could be found by it; of the gateways' tokens the hashes count, so that a replaced one shows.
 */
export function revisionOf(config: Config): string {
  const tokens = config.peps.map(({ tokenSha256, secondTokenSha256 }) => [tokenSha256, secondTokenSha256]);
  return createHash('sha256')
    .update(JSON.stringify([maskConfig(config), tokens]))
    .digest('hex')
    .slice(0, 16);
}
