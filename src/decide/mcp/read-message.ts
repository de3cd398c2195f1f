import type { McpMessage } from '../../contract/mcp.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Route } from '../../contract/route.ts';
import { readBody } from './read-body.ts';
import { readQuestion } from './read-question.ts';

/**
 * What a request asks an MCP server for; null where its route does not say that it is one, which is all that this costs there. A gateway that brings
 * an action instead of the client's body has read the message itself. Never throws.
 */
export function readMessage(request: DecisionRequest, { mcp: plan }: Route): McpMessage | null {
  if (plan === undefined) return null;
  const { http, action, flags } = request;
  if (http === null || (action !== null && http.body.status === 'absent')) return readQuestion(request, plan);
  const message = readBody(http, plan);
  // of the headers that were left out nobody knows whether they agree
  const capped = flags.includes('headers_capped') || flags.includes('header_values_capped');
  return capped && message.code === null ? { ...message, code: 'header_invalid' } : message;
}
