import type { ErrorCode } from '../../contract/codes.ts';
import { authzenStatusOf } from '../../endpoints/authzen/routes.ts';
import { DIALECT_HEADERS } from '../../endpoints/forward-auth/schema.ts';
import { CALL_CODES, header, json, LISTENER_CODES, type Part, problems, sharedResponses, textErrors } from './responses.ts';
import { componentSchemas } from './schemas.ts';

const ABOUT = [
  'What the decision listener of Countersign serves over HTTP. A decision is always a 200, also a deny; a status from 400 up says that there was no question,',
  'and a gateway that gets no 200 has no decision and must refuse its client. More members may come in answers. Forward auth and Envoy answer otherwise,',
  'by the status for the client. What Envoy asks over HTTP, any method on any path below `/envoy/`, is no path of OpenAPI and stands in docs/gateways/envoy.md.',
].join(' ');

const ID = { 'x-countersign-decision-id': header('The id of the decision.'), 'cache-control': header('`no-store`.') };
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;
const AUTHZEN_CODES: readonly ErrorCode[] = [...CALL_CODES, 'batch_too_large', 'evidence_differs', 'context_too_large'];

const asked = (name: string): Part => ({ required: true, content: json(name) });

/** OpenAPI 3.1 of what gateways and applications call; the same whatever is configured. */
export function openApiDocument(): Part {
  return {
    openapi: '3.1.0',
    info: { title: 'Countersign', version: '1', description: ABOUT, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    security: [{ gatewayToken: [] }, { bearer: [] }, { certificate: [] }, {}],
    paths: {
      '/decide': { post: decide() },
      '/feedback': { post: feedback() },
      '/access/v1/evaluation': {
        post: evaluation('Evaluation', 'EvaluationAnswer', 'One access evaluation (AuthZEN Authorization API 1.0).'),
      },
      '/access/v1/evaluations': {
        post: evaluation('Evaluations', 'EvaluationsAnswer', 'Several about one caller; without `evaluations` one, answered as one.'),
      },
      '/.well-known/authzen-configuration': document('AuthzenMetadata', 'application/json', 'AuthZEN metadata; 404 without `publicUrl`.'),
      '/.well-known/jwks.json': document(
        'JwkSet',
        'application/jwk-set+json',
        'Keys that assertions are verified by; 404 without `assertion`.',
      ),
      '/openapi.json': document(null, 'application/json', 'This document.'),
      '/forward-auth': Object.fromEntries(METHODS.map((method) => [method, forwardAuth(method)])),
    },
    components: {
      schemas: componentSchemas(),
      responses: sharedResponses(),
      securitySchemes: {
        gatewayToken: { type: 'apiKey', in: 'header', name: 'x-countersign-pep-token', description: "The gateway's token." },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The same; not for `/forward-auth`, where `authorization` is the client’s.',
        },
        certificate: { type: 'mutualTLS', description: "The gateway's certificate." },
      },
    },
  };
}

function decide(): Part {
  const explain = {
    name: 'explain',
    in: 'query',
    schema: { type: 'string' },
    description: '`true` adds why, for gateways that are trusted for it; anything else is as if it were not there.',
  };
  return {
    operationId: 'decide',
    summary: 'One question, one decision.',
    parameters: [explain],
    requestBody: asked('DecideQuestion'),
    responses: {
      200: { description: 'The decision, whatever it is.', headers: ID, content: json('DecideAnswer') },
      ...problems([...CALL_CODES, 'context_too_large', 'policy_not_allowed']),
    },
  };
}

function feedback(): Part {
  return {
    operationId: 'feedback',
    summary: 'What became of a request that was decided here.',
    requestBody: asked('Report'),
    responses: {
      204: { description: 'It counts, or it was told before.', headers: { 'x-countersign-feedback': header('`accepted` or `repeated`.') } },
      ...problems([...CALL_CODES, 'feedback_not_allowed', 'decision_unknown', 'store_unavailable']),
    },
  };
}

function evaluation(question: string, answer: string, summary: string): Part {
  const requestId = {
    name: 'x-request-id',
    in: 'header',
    schema: { type: 'string' },
    description: 'Sent back as it is, up to 1,024 characters.',
  };
  const single = question === 'Evaluations' ? { anyOf: [json(answer), json('EvaluationAnswer')].map(schemaIn) } : schemaIn(json(answer));
  return {
    operationId: question === 'Evaluation' ? 'evaluate' : 'evaluateAll',
    summary,
    parameters: [requestId],
    requestBody: asked(question),
    responses: {
      200: { description: '`true` is an allow and nothing else is.', content: { 'application/json': { schema: single } } },
      ...textErrors(AUTHZEN_CODES, authzenStatusOf),
    },
  };
}

function document(name: string | null, type: string, summary: string): Part {
  const found = (shown: boolean): Part => ({
    summary,
    security: [{}],
    responses: {
      200: {
        description: 'The document.',
        headers: { 'cache-control': header('How long it may be kept.') },
        ...(shown ? { content: name === null ? { [type]: { schema: { type: 'object' } } } : json(name, type) } : {}),
      },
      ...problems([...LISTENER_CODES, 'not_found', 'method_not_allowed']),
      // AuthZEN's errors are texts
      ...(name === 'AuthzenMetadata' ? textErrors(['method_not_allowed'], authzenStatusOf) : {}),
    },
  });
  return { get: found(true), head: found(false) };
}

/** By any method: that of the client's request is in a header, and so is all else. */
function forwardAuth(method: string): Part {
  const content = { ...json('ClientProblem', 'application/problem+json'), '*/*': { schema: {} } };
  return {
    operationId: `forward_auth_${method}`,
    summary: "A client's request in the dialect of the gateway (`peps[].dialect`); the status is what the client is to get.",
    security: [{ gatewayToken: [] }, { certificate: [] }, {}],
    parameters: DIALECT_PARAMETERS,
    responses: {
      200: { description: 'Allowed: headers for the upstream, which the recipe of the gateway copies.', headers: { ...ID, ...DECISION } },
      default: {
        description: 'Not allowed, in the words of the policy: status, challenge, Retry-After and body for the client.',
        headers: { ...ID, ...DECISION, 'x-countersign-error': header('The code, where there was no question or no decision.') },
        ...(method === 'head' ? {} : { content }),
      },
    },
  };
}

/** Which of them count, and then each of them once, is what the dialect says. */
const DIALECT_PARAMETERS = [DIALECT_HEADERS.nginx, DIALECT_HEADERS.caddy].flatMap((names) =>
  Object.entries(names).map(([what, name]) => ({
    name,
    in: 'header',
    schema: { type: 'string' },
    description: `The client's ${what}, in the dialects ${dialectsWith(name).join(', ')}.`,
  })),
);

function dialectsWith(name: string): readonly string[] {
  return Object.entries(DIALECT_HEADERS).flatMap(([dialect, names]) => (Object.values(names).includes(name) ? [dialect] : []));
}

const DECISION = { 'x-countersign-decision': header('`allow`, `deny` or `step_up`.') };

function schemaIn(content: Part): unknown {
  return Object.values(content).map((one) => (typeof one === 'object' && one !== null && 'schema' in one ? one.schema : {}))[0];
}

/** The document as it is served and committed; it takes some 20 ms to make. */
export function openApiText(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}
