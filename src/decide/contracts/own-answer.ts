import type { ClientResponse, Decision, NamedText, Upstream } from '../../contract/decision.ts';
import type { JsonObject } from '../../contract/json.ts';
import { headerSafe, isReserved } from '../upstream.ts';

/** What a policy that makes its decision itself says beside the effect. Names of headers are lower case; a name may be there several times. */
export type OwnAnswer = {
  /** For the upstream, on an allow. */
  readonly upstream: readonly NamedText[];
  readonly upstreamRemove: readonly string[];
  /** For the client: beside the upstream's answer on an allow, else of the refusal. */
  readonly client: readonly NamedText[];
  /** On an allow: whether the client gets them beside the upstream's own headers of these names, instead of in their place. */
  readonly clientAdds: boolean;
  /** Of the refusal; null leaves it to the host. */
  readonly body: JsonObject | string | null;
  readonly queryToSet: readonly NamedText[];
  readonly queryToRemove: readonly string[];
  readonly dynamicMetadata: JsonObject | null;
};

export const NO_ANSWER: OwnAnswer = {
  upstream: [],
  upstreamRemove: [],
  client: [],
  clientAdds: false,
  body: null,
  queryToSet: [],
  queryToRemove: [],
  dynamicMetadata: null,
};

/** A longer body is not sent; the host's own is. */
const BODY_BYTES_MAX = 65_536;

/** The decision with what its policy says itself: that goes before what the host makes, save for the headers that only the host may set. */
export function withOwn(decision: Decision, own: OwnAnswer): Decision {
  const { upstream, response } = decision;
  return {
    ...decision,
    upstream: decision.effect === 'allow' ? upstreamWith(upstream, own) : upstream,
    response: response === null ? null : responseWith(response, own),
    ...(own.dynamicMetadata === null ? {} : { dynamicMetadata: own.dynamicMetadata }),
  };
}

function upstreamWith(upstream: Upstream, own: OwnAnswer): Upstream {
  const { set, more } = linesOf(own.upstream);
  const headersToSet = { ...upstream.headersToSet, ...set };
  const asked = own.upstreamRemove.map((name) => name.toLowerCase()).filter((name) => !isReserved(name));
  const remove = new Set([...upstream.headersToRemove, ...asked]);
  for (const name of Object.keys(headersToSet)) remove.delete(name);
  const client = ownForClient(own);
  const toClient = { ...upstream.responseHeadersToSet, ...client.set };
  return {
    headersToSet,
    headersToRemove: [...remove],
    ...(Object.keys(toClient).length === 0 ? {} : { responseHeadersToSet: toClient }),
    ...(more.length === 0 ? {} : { headersToAppend: more }),
    ...(client.more.length === 0 ? {} : { responseHeadersToAppend: client.more }),
    ...(own.queryToSet.length === 0 ? {} : { queryToSet: own.queryToSet }),
    ...(own.queryToRemove.length === 0 ? {} : { queryToRemove: own.queryToRemove }),
  };
}

/** Envoy adds before it overwrites, so that a name with several lines can only be added. */
function ownForClient({ client, clientAdds }: OwnAnswer): Lines {
  const { set, more } = linesOf(client);
  const several = new Set(more.map(([name]) => name));
  const added = Object.entries(set).filter(([name]) => clientAdds || several.has(name));
  for (const [name] of added) delete set[name];
  return { set, more: [...added, ...more] };
}

function responseWith(response: ClientResponse, own: OwnAnswer): ClientResponse {
  const { set, more } = linesOf(own.client);
  const { body } = own;
  const text = typeof body === 'string' ? body : null;
  const fits = body === null || Buffer.byteLength(text ?? JSON.stringify(body)) <= BODY_BYTES_MAX;
  const type = body === null || !fits ? {} : { 'content-type': text === null ? 'application/json' : 'text/plain; charset=utf-8' };
  // a content type of the policy is that of its own body
  const { 'content-type': typeSaid, ...others } = set;
  const typed = typeSaid === undefined || body === null || !fits ? type : { 'content-type': typeSaid };
  return {
    status: response.status,
    headers: { ...response.headers, ...others, ...typed },
    body: text === null && body !== null && typeof body === 'object' && fits ? body : response.body,
    ...(text !== null && fits ? { text } : {}),
    ...(more.length === 0 ? {} : { headersToAppend: more }),
  };
}

type Lines = { readonly set: Record<string, string>; readonly more: readonly NamedText[] };

/** The first line of each name, and the lines after it. */
function linesOf(lines: readonly NamedText[]): Lines {
  const set: Record<string, string> = {};
  const more: NamedText[] = [];
  for (const [name, value] of lines) {
    if (isReserved(name)) continue;
    const safe = plainValue(value);
    if (Object.hasOwn(set, name)) more.push([name, safe]);
    else set[name] = safe;
  }
  return { set, more };
}

/** Visible ASCII, inner spaces and tabs. */
const PLAIN = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

/** A policy's own value as it is, where every hop passes it on so. */
function plainValue(value: string): string {
  return PLAIN.test(value) ? value : headerSafe(value);
}
