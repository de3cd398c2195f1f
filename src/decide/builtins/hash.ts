import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type Builtin, type BuiltinTable, ofTexts } from './builtin.ts';
import { bytesOfText } from './bytes.ts';

const hash = (algorithm: string): Builtin => ofTexts(1, (text) => createHash(algorithm).update(bytesOfText(text)).digest('hex'));

const hmac = (algorithm: string): Builtin =>
  ofTexts(2, (message, key) => createHmac(algorithm, bytesOfText(key)).update(bytesOfText(message)).digest('hex'));

/** In a time that does not depend on where they differ. */
const equal = ofTexts(2, (one, other) => {
  const first = bytesOfText(one);
  const second = bytesOfText(other);
  return first.length === second.length && timingSafeEqual(first, second);
});

export const HASHES: BuiltinTable = {
  'crypto.md5': hash('md5'),
  'crypto.sha1': hash('sha1'),
  'crypto.sha256': hash('sha256'),
  'crypto.hmac.md5': hmac('md5'),
  'crypto.hmac.sha1': hmac('sha1'),
  'crypto.hmac.sha256': hmac('sha256'),
  'crypto.hmac.sha512': hmac('sha512'),
  'crypto.hmac.equal': equal,
};
