// Keys and a token for the quickstart. They are made here, on this machine, and lie in the git-ignored .local/quickstart.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inRoot } from '../project.mjs';

export const FOLDER = inRoot('.local', 'quickstart');
const KEY_FILE = join(FOLDER, 'key.json');

/** As in config/quickstart.yaml. */
export const ISSUER = 'https://issuer.quickstart.example';
export const AUDIENCE = 'https://api.quickstart.example';
const KID = 'quickstart';
const TOKEN_SECONDS = 24 * 3600;

/** Where the commands find the token. */
export const TOKEN_FILE = join(FOLDER, 'agent.jwt');

/**
 * Whole under its name, or not there: another start may be reading it.
 * @param {string} file
 * @param {string} text
 * @param {number} mode
 */
export async function writeWhole(file, text, mode = 0o644) {
  const beside = `${file}.${process.pid}`;
  await writeFile(beside, text, { mode });
  await rename(beside, file);
}

/** @returns {Promise<import('node:crypto').KeyObject>} the private key: ES256, kept from start to start */
async function privateKey() {
  try {
    return createPrivateKey({ key: JSON.parse(await readFile(KEY_FILE, 'utf8')), format: 'jwk' });
  } catch {
    // the first start, or a file that was cut off: a new key is as good
    const { privateKey: made } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeWhole(KEY_FILE, JSON.stringify(made.export({ format: 'jwk' })), 0o600);
    return made;
  }
}

/** @param {unknown} part */
const encoded = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');

/**
 * An access token by RFC 9068.
 * @param {import('node:crypto').KeyObject} key
 * @param {number} now unix seconds
 */
function accessToken(key, now) {
  const header = { alg: 'ES256', typ: 'at+jwt', kid: KID };
  const claims = {
    ...{ iss: ISSUER, aud: AUDIENCE, sub: 'agent-1', client_id: 'agent-1', jti: randomUUID() },
    ...{ iat: now, exp: now + TOKEN_SECONDS, scope: 'orders:read payments:write' },
  };
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** Writes the issuer's key set and a fresh token. */
export async function writeMaterial() {
  await mkdir(FOLDER, { recursive: true, mode: 0o700 });
  const key = await privateKey();
  const shown = { ...createPublicKey(key).export({ format: 'jwk' }), kid: KID, alg: 'ES256', use: 'sig' };
  await writeWhole(join(FOLDER, 'jwks.json'), JSON.stringify({ keys: [shown] }, null, 2));
  await writeWhole(TOKEN_FILE, accessToken(key, Math.floor(Date.now() / 1000)), 0o600);
}
