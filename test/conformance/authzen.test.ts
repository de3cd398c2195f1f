import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { buildBundle } from '../../src/decide/bundle-build.ts';
import { plainBundle } from '../decide/contracts/policy.ts';
import { createTestPolicies, OPA_BIN, PROJECT_ROOT, policyOptions } from '../decide/fixtures.ts';
import { type AuthzenWorld, PUBLIC_URL, startAuthzenWorld } from '../support/authzen-world.ts';
import { send } from '../support/http-client.ts';
import { refusedOnPurpose } from '../support/refused.ts';
import { vectorCases, vectorDocument } from '../support/vectors.ts';

/* AuthZEN Authorization API 1.0 over the real listener and path: the certification scenario by the policy that ships, then the interop scenarios. */

async function worldOf(bundle: Uint8Array, entrypoint: string): Promise<AuthzenWorld> {
  const policies = createTestPolicies({ policies: { default: policyOptions({ contract: 'decision', entrypoint }) } });
  await policies.activate('default', bundle);
  return startAuthzenWorld({ policies });
}

/** Only what the specification says of an answer: `decision`, or `evaluations` in order. */
const Answer = z.looseObject({ decision: z.boolean(), context: z.looseObject({}).optional() });
const Batch = z.looseObject({ evaluations: z.array(Answer) });

const responseSchema = vectorDocument('authzen', 'evaluation-response.schema.json');
const Published = responseSchema === null ? Answer : z.fromJSONSchema(JSON.parse(JSON.stringify(responseSchema)));

const CASE = z.looseObject({
  id: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  request: z.looseObject({}).optional(),
  raw_request: z.string().optional(),
  expect: z.looseObject({
    status: z.int(),
    body: z.looseObject({}).optional(),
    structure: z.strictObject({ evaluations: z.int() }).optional(),
  }),
});

describe('the certification scenario', () => {
  let world: AuthzenWorld;
  beforeAll(async () => {
    const directory = join(PROJECT_ROOT, 'config/authzen-certification/policy');
    const entrypoint = 'certification/decision';
    world = await worldOf(await buildBundle({ opaBin: OPA_BIN, directory, entrypoint }), entrypoint);
  });
  afterAll(() => world.stop());

  const cases = vectorCases('authzen', 'certification-1_0.json', CASE);
  test.each(cases.map((one) => [one.id, one] as const))('%s', async (id, { path, headers, request, raw_request: raw, expect: wanted }) => {
    const requestId = `request-${id}`;
    const answer = await world.post(path, raw ?? request, { ...headers, 'x-request-id': requestId });
    expect(answer.headers['x-request-id']).toBe(requestId);
    if (path.startsWith('/access/v1/search/')) {
      expect(answer.status).toBe(501);
      refusedOnPurpose();
      return;
    }
    expect(answer.status).toBe(wanted.status);
    if (wanted.status !== 200) {
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      return;
    }
    expect(answer.headers['content-type']).toBe('application/json');
    const body: unknown = JSON.parse(answer.body);
    if (wanted.structure !== undefined) expect(Batch.parse(body).evaluations).toHaveLength(wanted.structure.evaluations);
    if (wanted.body !== undefined) expect(body).toMatchObject(wanted.body);
    for (const one of isJsonObject(body) && Array.isArray(body['evaluations']) ? body['evaluations'] : [body]) {
      expect(Published.safeParse(one)).toMatchObject({ success: true });
    }
  });

  test('the metadata have the members of the example, without those of searches', async () => {
    const example = vectorDocument('authzen', 'metadata-example.json') ?? {};
    const answer = await send(world.port, { path: '/.well-known/authzen-configuration' });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    const told: JsonObject = JSON.parse(answer.body);
    expect(told['policy_decision_point']).toBe(PUBLIC_URL);
    for (const [name, value] of Object.entries(example)) {
      if (name.startsWith('search_') || name === 'signed_metadata') expect(told).not.toHaveProperty(name);
      else expect(told[name]).toBe(String(value).replace('https://pdp.example.com', PUBLIC_URL));
    }
  });
});

describe('the examples of the specification', () => {
  let world: AuthzenWorld;
  beforeAll(async () => {
    const said = 'package said\n\ndecision := {"effect": "allow"}\n';
    world = await worldOf(plainBundle(said, 'said/decision'), 'said/decision');
  });
  afterAll(() => world.stop());

  type Example = { readonly id: string; readonly path: string; readonly body: string; readonly evaluations: number | null };
  const EXAMPLE = z.looseObject({
    id: z.string(),
    kind: z.enum(['json', 'http']),
    json: z.unknown().optional(),
    raw: z.string().optional(),
  });
  const cases = vectorCases('authzen', 'spec-examples-1_0.json', EXAMPLE).flatMap(({ id, json, raw }): Example[] => {
    const [head = '', text = ''] = (raw ?? '').split('\n\n');
    const path = /^POST (\/access\/v1\/evaluations?) /.exec(head)?.[1];
    if (path !== undefined && text !== '') return [{ id, path, body: text, evaluations: null }];
    const batch = isJsonObject(json) && Array.isArray(json['evaluations']) ? json['evaluations'] : null;
    if (batch === null || batch.some((one) => isJsonObject(one) && 'decision' in one)) return [];
    return [{ id, path: '/access/v1/evaluations', body: JSON.stringify(json), evaluations: batch.length }];
  });

  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_id, { path, body, evaluations }) => {
    const answer = await world.post(path, body);
    expect(answer.status).toBe(200);
    if (path.endsWith('evaluation')) expect(JSON.parse(answer.body)).toMatchObject({ decision: true });
    else if (evaluations !== null) expect(Batch.parse(JSON.parse(answer.body)).evaluations).toHaveLength(evaluations);
    else Batch.parse(JSON.parse(answer.body));
  });
});

const DECISION = z.looseObject({
  id: z.string(),
  api: z.string(),
  request: z.looseObject({}),
  expected: z.union([z.boolean(), z.array(z.strictObject({ decision: z.boolean() }))]),
});

/** Asks and holds the answer against what is expected; `path` in place of the draft's. */
async function asExpected(world: AuthzenWorld, { request, expected }: z.infer<typeof DECISION>, path: string): Promise<boolean> {
  const answer = await world.post(path, request);
  expect(answer.status).toBe(200);
  if (typeof expected === 'boolean') return Answer.parse(JSON.parse(answer.body)).decision === expected;
  const { evaluations } = Batch.parse(JSON.parse(answer.body));
  return JSON.stringify(evaluations.map(({ decision }) => ({ decision }))) === JSON.stringify(expected);
}

describe('the todo scenario', () => {
  const TODO = `package todo
default decision := {"effect": "deny"}
decision := {"effect": "allow"} if granted
user := one if {
	some key, one in data.people
	input.subject.id in {key, one.id}
}
granted if {
	user
	input.action.name in {"can_read_user", "can_read_todos"}
}
granted if {
	input.action.name == "can_create_todo"
	some role in user.roles
	role in {"admin", "editor"}
}
granted if {
	input.action.name == "can_update_todo"
	"evil_genius" in user.roles
}
granted if {
	input.action.name == "can_delete_todo"
	"admin" in user.roles
}
granted if {
	input.action.name in {"can_update_todo", "can_delete_todo"}
	"editor" in user.roles
	input.resource.properties.ownerID == user.id
}
`;
  let world: AuthzenWorld;
  beforeAll(async () => {
    const people = vectorDocument('authzen', 'todo-fixture.json')?.['users'] ?? {};
    world = await worldOf(plainBundle(TODO, 'todo/decision', { data: { people } }), 'todo/decision');
  });
  afterAll(() => world.stop());

  const files = ['todo-decisions-1_0-01.json', 'todo-decisions-1_0-02.json', 'todo-decisions-1_0-00.json', 'todo-decisions-base.json'];
  const cases = files.flatMap((file) => vectorCases('authzen', file, DECISION));
  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_id, one) => {
    // the path that the oldest draft had is not there any more; what it asks is asked by the one of 1.0
    const matches = await asExpected(world, one, one.api.replace('/decisions', '/evaluation'));
    if (!matches && isJsonObject(one.request['resource']) && 'ownerID' in one.request['resource']) return refusedOnPurpose();
    expect(matches).toBe(true);
  });
});

describe('the gateway scenario', () => {
  const GATEWAY = `package gateway
default decision := {"effect": "deny"}
decision := {"effect": "allow"} if granted
roles := data.people[input.subject.id].roles if input.subject.type == "identity"
granted if {
	roles
	input.resource.type == "route"
	input.action.name == "GET"
}
granted if {
	input.resource.type == "route"
	input.resource.id in {"/todos", "/todos/{todoId}"}
	input.action.name in {"POST", "PUT", "DELETE"}
	some role in roles
	role in {"admin", "editor"}
}
`;
  let world: AuthzenWorld;
  beforeAll(async () => {
    const people = vectorDocument('authzen', 'todo-fixture.json')?.['users'] ?? {};
    world = await worldOf(plainBundle(GATEWAY, 'gateway/decision', { data: { people } }), 'gateway/decision');
  });
  afterAll(() => world.stop());

  const cases = vectorCases('authzen', 'gateway-decisions.json', DECISION);
  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_id, one) => {
    expect(await asExpected(world, one, one.api)).toBe(true);
  });
});
