import type { Identity } from '../contract/identity.ts';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { RequestSource } from '../contract/rate-plan.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { Route } from '../contract/route.ts';

/** What a part of a request is taken from. `address` is the prefix that pays. */
export type SourceOf = {
  readonly request: DecisionRequest;
  readonly identity: Identity;
  readonly route: Route;
  readonly address: string | null;
};

/**
 * One part of a request; undefined where it is not there, or not once: of two values of a header or query parameter nobody knows which
 * one the upstream takes. Evidence is only what was verified, never the gateway's own word.
 */
export function readSource(source: RequestSource, { request, identity, route, address }: SourceOf): JsonValue | undefined {
  const { http } = request;
  switch (source.from) {
    case 'client':
      return identity.subject.asserted ? undefined : (identity.subject.client ?? undefined);
    case 'subject':
      return identity.subject.asserted ? undefined : (identity.subject.id ?? undefined);
    case 'address':
      return address ?? undefined;
    case 'token':
      return identity.tokenKey ?? undefined;
    case 'api_key':
      return identity.signals.apiKey.status === 'present' ? identity.signals.apiKey.value.id : undefined;
    case 'route':
      return route.status === 'none' ? undefined : route.id;
    case 'pep':
      return request.pep.name;
    case 'method':
      return http?.method;
    case 'host':
      return http?.host;
    case 'action':
      return request.action?.name ?? http?.method;
    case 'resource_type':
      return request.resource?.type;
    case 'resource_id':
      return request.resource?.id;
    case 'claim': {
      const { token } = identity.signals;
      if (token.status !== 'present' || token.value.verifiedBy === 'pep') return undefined;
      return own(token.value.claims, source.name);
    }
    case 'header':
      return only(http?.headers.get(source.name));
    case 'query':
      return only(http?.query.get(source.name));
    case 'parameter':
      return own(route.parameters, source.name);
    case 'json':
      return http?.body.status === 'parsed' ? pointed(http.body.json, source.path) : undefined;
    case 'context':
      return pointed(request.context, source.path);
  }
}

function only(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 ? values[0] : undefined;
}

function own(values: Readonly<Record<string, JsonValue>>, name: string): JsonValue | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

const INDEX = /^(0|[1-9][0-9]{0,8})$/;

/** RFC 6901. */
function pointed(document: JsonValue, path: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = document;
  for (const name of path) {
    if (Array.isArray(at)) at = INDEX.test(name) ? at[Number(name)] : undefined;
    else at = isJsonObject(at) ? own(at, name) : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}
