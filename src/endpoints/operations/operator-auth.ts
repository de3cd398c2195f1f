import { hash } from 'node:crypto';
import type { Operator } from '../../contract/admin.ts';
import { CountersignError } from '../../contract/errors.ts';

/** Who may read `/status` and use the admin API: known by the lower-case hex SHA-256 of a bearer token. */
export type OperatorToken = Operator & { readonly tokenSha256: string };

/** The operator of an `Authorization` header, or null. Tokens are compared by their hash, see `pep-auth.ts`. */
export type OperatorAuth = (authorization: string | undefined) => OperatorToken | null;

const BEARER = /^bearer +([^ ]+)$/i;

/** Throws `config_invalid` where two operators have one token. */
export function createOperatorAuth(tokens: readonly OperatorToken[]): OperatorAuth {
  const byHash = new Map<string, OperatorToken>();
  for (const token of tokens) {
    const key = token.tokenSha256.toLowerCase();
    if (byHash.has(key)) throw new CountersignError('config_invalid', { field: `operations.tokens.${token.name}`, detail: 'used twice' });
    byHash.set(key, token);
  }
  return (authorization) => {
    const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
    return token === undefined ? null : (byHash.get(hash('sha256', token, 'hex')) ?? null);
  };
}
