import { generateKeyPairSync } from 'node:crypto';
import type { Logger } from '../../src/contract/stages.ts';
import { loadSigningKeys, type SigningKeys } from '../../src/decide/assertion/signing-keys.ts';
import { readChangedFile } from '../../src/stores/changed-file.ts';

/** A new private key in PEM, with its public half. */
export function newKey(algorithm: 'ES256' | 'EdDSA'): { readonly pem: string; readonly publicPem: string } {
  const { privateKey, publicKey } =
    algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  return {
    pem: pemOf(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicPem: pemOf(publicKey.export({ type: 'spki', format: 'pem' })),
  };
}

function pemOf(exported: string | Buffer): string {
  return exported.toString();
}

const quiet = (): void => undefined;
export const SILENT: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** Keys of these texts, the first of which signs; whoever makes them stops them. */
export function keysOf(...pems: readonly string[]): Promise<SigningKeys> {
  const keys = pems.map((pem, index) => ({ id: `k${index}`, pem, file: null }));
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  return loadSigningKeys({ keys, active: null }, { readFile: readChangedFile, clock, logger: SILENT });
}
