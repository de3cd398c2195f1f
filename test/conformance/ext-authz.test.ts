import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { encodeCheck } from '../support/ext-authz-wire.ts';
import { CHECK, checkOf, type Fixture, startGrpc } from '../support/grpc-fixture.ts';
import { vectorCases } from '../support/vectors.ts';

/** protobuf-JSON of a CheckRequest as far as these vectors say one; `parsed_path` is a member that no CheckRequest has. */
const HTTP = z.strictObject({
  id: z.string().optional(),
  method: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  path: z.string().optional(),
  host: z.string().optional(),
  protocol: z.string().optional(),
  body: z.string().optional(),
  raw_body: z.string().optional(),
});
const CASE = z.looseObject({
  id: z.string(),
  check_request: z.looseObject({ attributes: z.looseObject({ request: z.strictObject({ http: HTTP }) }) }).optional(),
});

let server: Fixture;
beforeAll(async () => {
  server = await startGrpc();
});
afterAll(() => server.close());

describe('check requests of opa-envoy-plugin', () => {
  const cases = vectorCases('ext-authz', 'opa-envoy-plugin.json', CASE);

  test.each(
    cases.flatMap(({ id, check_request }) => (check_request === undefined ? [] : [[id, check_request.attributes.request.http] as const])),
  )('%s decodes and is asked', async (_id, { headers = {}, raw_body, body, path, method, host, id }) => {
    const message = encodeCheck({
      http: {
        ...(id === undefined ? {} : { id }),
        ...(method === undefined ? {} : { method }),
        ...(path === undefined ? {} : { path }),
        ...(host === undefined ? {} : { host }),
        ...(body === undefined ? {} : { body }),
        ...(raw_body === undefined ? {} : { rawBody: Buffer.from(raw_body, 'base64') }),
        headers: Object.entries(headers),
      },
    });
    const before = server.asked.length;
    expect(checkOf(await server.client.unary(CHECK, message)).code).toBe(0);
    expect(server.asked).toHaveLength(before + 1);
    const { http } = server.asked.at(-1) ?? {};
    expect(http?.method).toBe(method ?? '');
    expect(http?.pathRaw).toBe((path ?? '').split('?')[0]);
    for (const [name, value] of Object.entries(headers)) {
      const hidden = name.startsWith(':') || ['authorization', 'x-envoy-auth-partial-body'].includes(name);
      expect([name, http?.headers.get(name.toLowerCase())]).toEqual([name, hidden ? undefined : [value]]);
    }
    const bytes = raw_body === undefined ? Buffer.from(body ?? '') : Buffer.from(raw_body, 'base64');
    if (headers['x-envoy-auth-partial-body'] === 'true') expect(http?.body.status).toBe('truncated');
    else if (headers['content-type'] === 'application/json' && isJson(bytes)) {
      expect(http?.body).toMatchObject({ status: 'parsed', json: JSON.parse(bytes.toString('utf8')) });
    } else expect(http?.body.status).not.toBe('parsed');
  });
});

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
