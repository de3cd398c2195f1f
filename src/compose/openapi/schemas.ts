import { z } from 'zod';
import { EvaluationBody, EvaluationsBody } from '../../endpoints/authzen/schema.ts';
import { DecideBody } from '../../endpoints/decide/schema.ts';
import { FeedbackBody } from '../../endpoints/feedback/receive.ts';
import { AuthzenMetadata, ClientProblem, DecideAnswer, EvaluationAnswer, EvaluationsAnswer, JwkSet, Problem } from './answers.ts';

/** A JSON Schema of draft 2020-12, OpenAPI's own dialect. */
export type Schema = { readonly [name: string]: unknown };

type Node = { [name: string]: unknown };

/** What the code checks and a zod schema has no word for. */
const HEADERS: Schema = {
  type: 'object',
  description: "The client's headers, `authorization` among them: name to a value, or to a list of them.",
  propertyNames: { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" },
  additionalProperties: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
};
const COST: Schema = {
  type: 'object',
  description: 'Amounts by unit.',
  propertyNames: { pattern: '^[a-z][a-z0-9_]{0,31}$' },
  additionalProperties: { type: 'number', minimum: 0, maximum: 1e9 },
  maxProperties: 16,
};

/** The components of the document, in the order of their names. */
export function componentSchemas(): Readonly<Record<string, Schema>> {
  return {
    AuthzenMetadata: schemaOf(AuthzenMetadata),
    ClientProblem: schemaOf(ClientProblem),
    DecideAnswer: schemaOf(DecideAnswer),
    DecideQuestion: schemaOf(DecideBody, { 'request.headers': HEADERS, 'certificate.minProperties': 1 }),
    Evaluation: schemaOf(EvaluationBody),
    EvaluationAnswer: schemaOf(EvaluationAnswer),
    Evaluations: {
      anyOf: [
        schemaOf(EvaluationsBody, { 'evaluations.minItems': 1, required: ['evaluations'] }),
        { allOf: [{ $ref: '#/components/schemas/Evaluation' }, schemaOf(EvaluationsBody, { 'evaluations.maxItems': 0 })] },
      ],
    },
    EvaluationsAnswer: schemaOf(EvaluationsAnswer),
    JwkSet: schemaOf(JwkSet),
    Problem: schemaOf(Problem),
    Report: schemaOf(FeedbackBody, { cost: COST }),
  };
}

/** @param more by dotted path: a member's whole schema, or for one that is there already another keyword of it */
function schemaOf(type: z.ZodType, more: Readonly<Record<string, unknown>> = {}): Schema {
  const made: Node = JSON.parse(
    JSON.stringify(z.toJSONSchema(type, { io: 'input', reused: 'inline', unrepresentable: 'any', override: asObject })),
  );
  delete made['$schema'];
  for (const [path, value] of Object.entries(more)) put(made, path.split('.'), value);
  return made;
}

/** The only custom types of ours are JSON objects that are kept as they are. */
function asObject({
  zodSchema,
  jsonSchema,
}: {
  readonly zodSchema: z.core.$ZodTypes;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  if (zodSchema._zod.def.type === 'custom') jsonSchema.type = 'object';
}

function put(node: Node, [name = '', ...rest]: readonly string[], value: unknown): void {
  const members = memberOf(node, 'properties');
  if (rest.length > 0) put(members === null ? node : (memberOf(members, name) ?? node), rest, value);
  else if (members !== null && Object.hasOwn(members, name)) members[name] = value;
  else node[name] = value;
}

function memberOf(node: Node, name: string): Node | null {
  const member = node[name];
  return isNode(member) ? member : null;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
