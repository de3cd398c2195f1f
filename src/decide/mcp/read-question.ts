import type { McpCode, McpList, McpMessage, McpPlan } from '../../contract/mcp.ts';
import type { ActionFacts, DecisionRequest, ResourceFacts } from '../../contract/request.ts';
import { ownName, unread } from './read-body.ts';

/* AuthZEN's COAZ-MCP binding: the gateway has read the message, and asks about its action and its resource. */

/** Types of resources that the default mappings have. */
const TYPES: ReadonlySet<string> = new Set(['mcp_server', 'tool', 'resource', 'prompt', 'task']);

type Target = { readonly list: McpList; readonly types: readonly string[] };
const TARGETS: ReadonlyMap<string, Target> = new Map<string, Target>([
  ['tools/call', { list: 'tools', types: ['tool'] }],
  ['prompts/get', { list: 'prompts', types: ['prompt'] }],
  ['resources/read', { list: 'resources', types: ['resource'] }],
  ['resources/subscribe', { list: 'resources', types: ['resource'] }],
  ['resources/unsubscribe', { list: 'resources', types: ['resource'] }],
]);

/** The message that a question is about. Total: a refusal is the message's `code`. */
export function readQuestion({ action, resource, subject, context }: DecisionRequest, plan: McpPlan): McpMessage {
  const nothing = unread(plan, 'question');
  if (action === null || resource === null) return { ...nothing, code: 'params_invalid' };
  const agent = context['agent'];
  const version = context['protocol_version'];
  return {
    ...nothing,
    subject: subject?.id ?? null,
    agent: typeof agent === 'string' ? agent : null,
    version: typeof version === 'string' ? version : null,
    method: action.name,
    ...askedOf(action, resource, plan),
  };
}

function askedOf({ name: method }: ActionFacts, resource: ResourceFacts, plan: McpPlan): Partial<McpMessage> {
  const target = TARGETS.get(method);
  if (target !== undefined) return target.types.includes(resource.type) ? aimed(target.list, resource, plan) : refused('params_invalid');
  if (method === 'completion/complete') {
    if (resource.type === 'prompt') return aimed('prompts', resource, plan);
    return resource.type === 'resource' ? aimed('resources', resource, plan) : refused('params_invalid');
  }
  if (TYPES.has(resource.type) || plan.methods.has(method)) return { kind: 'request' };
  // a mapping of the server's own (`x-authzen-mapping`) may name any action and resource
  return { kind: 'declared', list: 'actions', name: method, target: method };
}

function aimed(list: McpList, { id }: ResourceFacts, plan: McpPlan): Partial<McpMessage> {
  return { kind: 'request', list, name: id, target: ownName(plan, list, id) };
}

function refused(code: McpCode): Partial<McpMessage> {
  return { kind: 'request', code };
}
