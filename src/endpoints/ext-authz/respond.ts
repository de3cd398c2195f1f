import { CODES, type ErrorCode } from '../../contract/codes.ts';
import type { ClientResponse, Decision, NamedText } from '../../contract/decision.ts';
import type { JsonObject } from '../../contract/json.ts';

import { clientValue, isSettableName, upstreamValue } from '../header-values.ts';
import {
  APPEND,
  type CheckResponseMessage,
  checkResponse,
  type DeniedMessage,
  type HeaderOption,
  type OkMessage,
  OVERWRITE,
  type ProtoStruct,
  type RefusalCode,
} from './schema.ts';
import { jsonToStruct } from './struct.ts';

export type CheckResponder = {
  /** The encoded CheckResponse of a decision; an allow comes from `effect: allow` without an error and from nothing else. */
  decided(decision: Decision): Uint8Array;
  /** The encoded denial of a call that was refused at the border: no gateway's failure mode may turn it into a pass. */
  refused(code: ErrorCode, decisionId: string): Uint8Array;
  /** The encoded denial where no decision was made in time or at all; `error_response` where that is switched on. */
  undecided(code: ErrorCode, decisionId: string): Uint8Array;
};

const DECISION_ID = 'x-countersign-decision-id';
const ERROR = 'x-countersign-error';
const PROBLEM = 'application/problem+json';

/**
 * @param errorResponse answers failures to decide by `error_response`, which Envoy counts as an error and passes when its
 * `failure_mode_allow` is set; off, they are denied by 503.
 */
export function createCheckResponder({ errorResponse }: { readonly errorResponse: boolean }): CheckResponder {
  function undecided(code: RefusalCode, denied: DeniedMessage, dynamicMetadata: ProtoStruct): CheckResponseMessage {
    const status = { code };
    return errorResponse ? { status, errorResponse: denied, dynamicMetadata } : { status, deniedResponse: denied, dynamicMetadata };
  }

  return {
    decided: (decision) => {
      const dynamicMetadata = withMembers(
        metadata(decision.effect, decision.id, decision.reasons, decision.risk.score, decision),
        decision.dynamicMetadata,
      );
      if (decision.effect === 'allow' && decision.error === null) {
        return checkResponse.encode({ status: { code: 0 }, okResponse: okResponse(decision), dynamicMetadata });
      }
      const error = decision.error?.code ?? null;
      const response = decision.response ?? problem(error ?? 'internal_error', decision.id);
      const deniedResponse = denied(response, decision.id, error);
      const code = refusalCode(deniedResponse.status.code);
      return checkResponse.encode(
        error === null ? { status: { code }, deniedResponse, dynamicMetadata } : undecided(code, deniedResponse, dynamicMetadata),
      );
    },
    refused: (code, decisionId) => {
      const deniedResponse = denied(problem(code, decisionId), decisionId, code);
      const status = { code: refusalCode(deniedResponse.status.code) };
      return checkResponse.encode({ status, deniedResponse, dynamicMetadata: metadata('deny', decisionId, [{ code }], 0) });
    },
    undecided: (code, decisionId) => {
      const message = denied(problem(code, decisionId), decisionId, code);
      return checkResponse.encode(undecided(refusalCode(message.status.code), message, metadata('deny', decisionId, [{ code }], 0)));
    },
  };
}

function okResponse(decision: Decision): OkMessage {
  const { headersToSet, headersToRemove, responseHeadersToSet, queryToSet, queryToRemove } = decision.upstream;
  const headers: HeaderOption[] = [];
  const remove: string[] = [];
  for (const name of Object.keys(headersToSet)) {
    const value = headersToSet[name] ?? '';
    if (!isSettableName(name)) continue;
    // Envoy skips an empty value, and the client's own copy would stay.
    if (value === '') remove.push(name);
    else headers.push({ header: { key: name, value: upstreamValue(value) }, appendAction: OVERWRITE });
  }
  for (const name of headersToRemove) {
    // Envoy removes after it has set.
    if (!Object.hasOwn(headersToSet, name) && isSettableName(name)) remove.push(name);
  }
  for (const [name, value] of decision.upstream.headersToAppend ?? []) {
    if (isSettableName(name) && value !== '') headers.push({ ...appended(name, upstreamValue(value)), append: { value: true } });
  }
  return {
    headers,
    headersToRemove: remove,
    responseHeadersToAdd: options(responseHeadersToSet ?? {}, decision.upstream.responseHeadersToAppend),
    ...(queryToSet === undefined ? {} : { queryParametersToSet: queryToSet.map(([key, value]) => ({ key, value })) }),
    ...(queryToRemove === undefined ? {} : { queryParametersToRemove: queryToRemove }),
  };
}

function denied(response: ClientResponse, decisionId: string, error: ErrorCode | null): DeniedMessage {
  const headers = options(response.headers, response.headersToAppend);
  if (!Object.hasOwn(response.headers, 'content-type') && response.text === undefined) headers.push(option('content-type', PROBLEM));
  if (!Object.hasOwn(response.headers, DECISION_ID)) headers.push(option(DECISION_ID, decisionId));
  if (error !== null && !Object.hasOwn(response.headers, ERROR)) headers.push(option(ERROR, error));
  const status = Number.isInteger(response.status) && response.status >= 300 && response.status <= 599 ? response.status : 403;
  return { status: { code: status }, headers, body: response.text ?? JSON.stringify(response.body) };
}

/** On a gateway's endpoint the 401 of the gateway's own credentials is a 403: the client must not take it for its challenge. */
function problem(code: ErrorCode, decisionId: string): ClientResponse {
  const { http, text } = CODES[code];
  const status = http === 401 ? 403 : http;
  const headers = code === 'overloaded' ? { 'cache-control': 'no-store', 'retry-after': '1' } : { 'cache-control': 'no-store' };
  return { status, headers, body: { type: 'about:blank', title: text, status, decision_id: decisionId } };
}

function options(headers: Readonly<Record<string, string>>, further: readonly NamedText[] = NO_LINES): HeaderOption[] {
  const list: HeaderOption[] = [];
  for (const name of Object.keys(headers)) {
    if (isSettableName(name)) list.push(option(name, clientValue(headers[name] ?? '')));
  }
  for (const [name, value] of further) {
    if (isSettableName(name)) list.push(appended(name, clientValue(value)));
  }
  return list;
}

const NO_LINES: readonly NamedText[] = [];

function appended(key: string, value: string): HeaderOption {
  return { header: { key, value }, appendAction: APPEND };
}

function option(key: string, value: string): HeaderOption {
  return { header: { key, value }, appendAction: OVERWRITE };
}

/** What a policy adds goes before ours, save for the id by which everything is found. */
function withMembers(ours: ProtoStruct, own: JsonObject | undefined): ProtoStruct {
  if (own === undefined) return ours;
  const { decision_id: _id, ...others } = own;
  const fields = ours.fields.filter(({ key }) => !Object.hasOwn(others, key));
  return { fields: [...fields, ...jsonToStruct(others).fields] };
}

/** google.rpc.Code by the status that the client gets (STANDARDS, the mapping of one decision); never 0. */
function refusalCode(httpStatus: number): RefusalCode {
  if (httpStatus >= 500) return 13;
  if (httpStatus === 401) return 16;
  if (httpStatus === 429 || httpStatus === 413) return 8;
  return httpStatus === 400 ? 3 : 7;
}

/** `dynamic_metadata`, for Envoy's access log and later filters. */
function metadata(
  decision: string,
  decisionId: string,
  reasons: readonly { readonly code: string }[],
  risk: number,
  { exceptions = [], would }: Pick<Decision, 'exceptions' | 'would'> = {},
): ProtoStruct {
  const values = reasons.map(({ code }) => ({ stringValue: code }));
  const ids = exceptions.map(({ id }) => ({ stringValue: id }));
  return {
    fields: [
      { key: 'decision', value: { stringValue: decision } },
      { key: 'decision_id', value: { stringValue: decisionId } },
      { key: 'reasons', value: { listValue: { values } } },
      { key: 'risk', value: { numberValue: risk } },
      ...(ids.length === 0 ? [] : [{ key: 'exceptions', value: { listValue: { values: ids } } }]),
      ...(would === undefined ? [] : [{ key: 'would', value: { stringValue: would } }]),
    ],
  };
}
