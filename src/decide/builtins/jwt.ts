import { type Builtin, BuiltinLimitError, type BuiltinTable, type Moment, ofTexts } from './builtin.ts';
import { keysOf } from './jwt-keys.ts';
import { claimsOf, headerOf, type Jwt, parseJwt } from './jwt-text.ts';
import { isSignedBy, isSignedByAny, isSignedBySecret } from './jwt-verify.ts';
import { doubleOf, isArray, isNumber, isObject, type RegoObject, type RegoValue } from './value.ts';

const NESTED_MAX = 8;
const tooNested = (): BuiltinLimitError => new BuiltinLimitError(`a token within more than ${NESTED_MAX}`);

/** `[header, claims, signature in hex]`; nothing is verified. */
const decode = ofTexts(1, (token) => {
  let text = token;
  for (let depth = 0; depth < NESTED_MAX; depth++) {
    const jwt = parseJwt(text);
    if (jwt === undefined) return undefined;
    const contentType = jwt.header.get('cty');
    if (contentType !== undefined && typeof contentType !== 'string') return undefined;
    if (contentType !== 'JWT') {
      const claims = claimsOf(jwt);
      return claims === undefined ? undefined : [jwt.header, claims, jwt.signature.toString('hex')];
    }
    text = jwt.payload.replaceAll(/^["']+|["']+$/g, '');
  }
  throw tooNested();
});

/** `io.jwt.verify_<algorithm>(token, certificate, key or key set)`. */
const verifyBy = (algorithm: string): Builtin =>
  ofTexts(2, (token, document) => {
    const jwt = parseJwt(token);
    const keys = jwt === undefined ? undefined : keysOf(document);
    const header = jwt === undefined ? undefined : headerOf(jwt);
    if (jwt === undefined || keys === undefined || header === undefined) return undefined;
    return isSignedByAny(keys, header.kid, header.algorithm, (key) => isSignedBy(key, algorithm, jwt.signed, jwt.signature, 'any'));
  });

const verifyBySecret = (algorithm: string): Builtin =>
  ofTexts(2, (token, secret) => {
    const jwt = parseJwt(token);
    return jwt === undefined ? undefined : isSignedBySecret(secret, algorithm, jwt.signed, jwt.signature);
  });

const UNVERIFIED: readonly RegoValue[] = [false, new Map(), new Map()];
const CONSTRAINTS: ReadonlySet<RegoValue> = new Set(['cert', 'secret', 'alg', 'iss', 'aud', 'time']);

type Constraints = {
  readonly cert: string | undefined;
  readonly secret: string;
  readonly alg: string;
  readonly iss: string;
  readonly aud: string;
  /** Seconds. */
  readonly time: number;
};

/** Undefined where a name is unknown, a type is wrong, or there is not exactly one kind of key. */
function constraintsOf(value: RegoObject, moment: () => Moment): Constraints | undefined {
  for (const name of value.keys()) if (!CONSTRAINTS.has(name)) return undefined;
  const [cert, secret = '', alg = '', iss = '', aud = ''] = ['cert', 'secret', 'alg', 'iss', 'aud'].map((name) => value.get(name));
  if ((cert !== undefined && typeof cert !== 'string') || typeof secret !== 'string' || typeof alg !== 'string') return undefined;
  if (typeof iss !== 'string' || typeof aud !== 'string' || (cert === undefined) === (secret === '')) return undefined;
  const given = value.get('time');
  const now = moment().nowNs;
  if (given !== undefined && !isNumber(given)) return undefined;
  const ns = given === undefined ? now : doubleOf(given);
  const time = ns === undefined ? Number.NaN : Number(ns) / 1e9;
  return time >= 0 ? { cert, secret, alg, iss, aud, time } : undefined;
}

/** The innermost token, each one verified; null where one does not verify, undefined where one is none. */
function verified(token: string, constraints: Constraints): Jwt | null | undefined {
  const keys = constraints.cert === undefined ? null : keysOf(constraints.cert);
  if (keys === undefined) return undefined;
  let text = token;
  for (let depth = 0; depth < NESTED_MAX; depth++) {
    const jwt = parseJwt(text);
    const header = jwt === undefined ? undefined : headerOf(jwt);
    if (jwt === undefined || header === undefined) return undefined;
    const { algorithm, kid } = header;
    if (!header.isUnderstood || (constraints.alg !== '' && constraints.alg !== algorithm)) return null;
    const isSigned =
      keys === null
        ? isSignedBySecret(constraints.secret, algorithm, jwt.signed, jwt.signature)
        : isSignedByAny(keys, kid, algorithm, (key) => isSignedBy(key, algorithm, jwt.signed, jwt.signature, 'of_hash'));
    if (!isSigned) return null;
    if (header.contentType.toUpperCase() !== 'JWT') return jwt;
    text = jwt.payload;
  }
  throw tooNested();
}

/** Whether the claims meet the constraints; undefined where a time is no number. */
function isMet(claims: RegoObject, { iss, aud, time }: Constraints): boolean | undefined {
  if (iss !== '' && claims.get('iss') !== iss) return false;
  const audience = claims.get('aud');
  if (audience === undefined ? aud !== '' : !(isArray(audience) ? audience.includes(aud) : audience === aud)) return false;
  const [expires, begins] = [claims.get('exp'), claims.get('nbf')];
  if (expires !== undefined && !isNumber(expires)) return undefined;
  if (expires !== undefined && time >= doubleOf(expires)) return false;
  if (begins !== undefined && !isNumber(begins)) return undefined;
  return begins === undefined || time >= doubleOf(begins);
}

/** `[valid, header, claims]`. */
const decodeVerify: Builtin = ([token, wanted], moment) => {
  const constraints = isObject(wanted) ? constraintsOf(wanted, moment) : undefined;
  if (typeof token !== 'string' || constraints === undefined) return undefined;
  const jwt = verified(token, constraints);
  if (jwt === undefined || jwt === null) return jwt === null ? UNVERIFIED : undefined;
  const claims = claimsOf(jwt);
  const met = claims === undefined ? undefined : isMet(claims, constraints);
  if (claims === undefined || met === undefined) return undefined;
  return met ? [true, jwt.header, claims] : UNVERIFIED;
};

export const JWT: BuiltinTable = {
  'io.jwt.decode': decode,
  'io.jwt.decode_verify': decodeVerify,
  ...Object.fromEntries(
    ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'].map((algorithm) => [
      `io.jwt.verify_${algorithm.toLowerCase()}`,
      verifyBy(algorithm),
    ]),
  ),
  ...Object.fromEntries(
    ['HS256', 'HS384', 'HS512'].map((algorithm) => [`io.jwt.verify_${algorithm.toLowerCase()}`, verifyBySecret(algorithm)]),
  ),
};
