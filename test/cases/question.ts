import { registryOf, withApiKey } from '../../src/cases/registered.ts';
import type { Case } from '../../src/cases/schema.ts';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import type { Pep } from '../../src/contract/pep.ts';

/** The gateway that asks in a case. */
export function casePep({ given }: Case): Pep {
  return {
    name: 'cases',
    trusts: new Set(given.trusts),
    policies: ['default'],
    certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
  };
}

/** The body of POST /decide with the client's `authorization`, `dpop`, `txn-token` and API key headers in it. */
export function askedBody(
  one: Case,
  authorization: string | null,
  proofs: readonly string[] = [],
  txnTokens: readonly string[] = [],
): JsonObject {
  return withApiKey(bodyOf(one, authorization, proofs, txnTokens), registryOf(one.given.registry, one));
}

function bodyOf({ ask }: Case, authorization: string | null, proofs: readonly string[], txnTokens: readonly string[]): JsonObject {
  if (authorization === null && txnTokens.length === 0) return ask as JsonObject;
  const request = ask['request'];
  if (!isJsonObject(request)) throw new Error('a case with a token needs a request to carry it');
  const headers = isJsonObject(request['headers']) ? request['headers'] : {};
  return {
    ...(ask as JsonObject),
    request: {
      ...request,
      headers: {
        ...headers,
        ...(authorization === null ? {} : { authorization }),
        ...(proofs.length === 0 ? {} : { dpop: proofs }),
        ...(txnTokens.length === 0 ? {} : { 'txn-token': txnTokens }),
      },
    },
  };
}
