import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ALLOW, ECHO } from '../decide/contracts/envoy-policies.ts';
import { activePolicy, type PolicyServer, servePolicy } from '../decide/contracts/policy.ts';
import { type HttpParts, headerOf } from '../support/ext-authz-wire.ts';
import { vectorCases } from '../support/vectors.ts';

/* The documents of opa-envoy-plugin, out of its own messages and out of its documentation: a policy gives back what it sees. */

const HTTP = z.looseObject({
  id: z.string().optional(),
  method: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  path: z.string().optional(),
  host: z.string().optional(),
  body: z.string().optional(),
  raw_body: z.string().optional(),
});
type Http = z.output<typeof HTTP>;
const ADDRESS = z.looseObject({
  address: z.looseObject({ socketAddress: z.object({ address: z.string(), portValue: z.number() }).optional() }),
});
const ATTRIBUTES = z.looseObject({ source: ADDRESS.optional(), request: z.looseObject({ http: HTTP }) });
const CHECK = z.looseObject({ id: z.string(), check_request: z.looseObject({ attributes: ATTRIBUTES }).optional() });
const INPUT = z.looseObject({ id: z.string(), input: z.looseObject({ attributes: ATTRIBUTES }) });

let server: PolicyServer;
beforeAll(async () => {
  server = await servePolicy(await activePolicy(ECHO, { contract: 'envoy', entrypoint: ALLOW, input: { credentials: true } }));
});
afterAll(() => server.close());

function partsOf({ id, method, path, host, body, raw_body, headers = {} }: Http): HttpParts {
  return {
    ...(id === undefined ? {} : { id }),
    ...(method === undefined ? {} : { method }),
    ...(path === undefined ? {} : { path }),
    ...(host === undefined ? {} : { host }),
    ...(body === undefined ? {} : { body }),
    ...(raw_body === undefined ? {} : { rawBody: Buffer.from(raw_body, 'base64') }),
    headers: Object.entries(headers),
  };
}

const DOCUMENT = z.looseObject({
  attributes: z.looseObject({ request: z.looseObject({ http: HTTP.extend({ rawBody: z.string().optional() }) }) }),
});

const NAMES = { firstname: 'foo', lastname: 'bar' };
const FORM = { firstname: ['foo'], lastname: ['bar'] };
/** `parsed_body` and `truncated_body` by the name of the message; without a descriptor the plugin reads no gRPC body. */
const BODIES: Readonly<Record<string, readonly [unknown, boolean] | 'refused'>> = {
  exampleInvalidRequest: 'refused',
  requestString: 'refused', // its path is a placeholder, which no URL has
  requestContentTypeJSONObject: [NAMES, false],
  requestContentTypeJSONArray: [['hello', 'opa'], false],
  requestContentTypeJSONRawBody: [NAMES, false],
  requestNotPartialBodyJSON: [NAMES, false],
  requestContentTypeURLEncoded: [FORM, false],
  requestContentTypeURLEncodedMultipleKeys: [{ ...FORM, lastname: ['bar', 'foobar'] }, false],
  requestBodyTruncated: [null, true],
  requestContentTypeURLEncodedTruncated: [null, true],
  requestPartialBodyJSON: [null, true],
  requestPartialBodyURLEncoded: [null, true],
  requestPartialBodyMultipart: [null, true],
};

describe('messages of its tests', () => {
  const cases = vectorCases('ext-authz', 'opa-envoy-plugin.json', CHECK).flatMap(({ id, check_request: message }) =>
    message === undefined ? [] : [[id, message.attributes.request.http] as const],
  );

  test.each(cases)('%s', async (id, http) => {
    const expected = BODIES[id.split(':').at(-1) ?? ''] ?? [null, false];
    const { check } = await server.ask({ http: partsOf(http) });
    if (expected === 'refused') {
      expect([check.ok, check.denied?.status, headerOf(check.denied?.headers, 'x-countersign-error')]).toEqual([
        null,
        400,
        'request_invalid',
      ]);
      return;
    }
    const document = DOCUMENT.parse(JSON.parse(check.denied?.body ?? ''));
    const { raw_body: rawBody, protocol: _protocol, body, ...members } = http;
    expect(document.attributes.request.http).toMatchObject({
      ...members,
      ...(body === undefined || body === '' ? {} : { body }),
      ...(rawBody === undefined ? {} : { rawBody }),
    });
    expect([document['parsed_body'], document['truncated_body']]).toEqual(expected);
    expect(document['parsed_path']).toEqual((http.path ?? '').replace(/^\//, '').split('/'));
    expect(document['version']).toEqual({ ext_authz: 'v3', encoding: 'protojson' });
  });
});

describe('documents of its documentation', () => {
  // the older API had other names for addresses
  const cases = vectorCases('ext-authz', 'opa-docs-inputs.json', INPUT).filter(
    ({ input }) => !JSON.stringify(input).includes('SocketAddress"'),
  );
  test('are there', () => expect(cases.length).toBeGreaterThan(3));

  test.each(cases.map(({ id, input }) => [id, input] as const))('%s', async (_id, input) => {
    const { source, request } = input.attributes;
    const socket = source?.address.socketAddress;
    const { check } = await server.ask({
      http: partsOf(request.http),
      ...(socket === undefined ? {} : { sourceIp: socket.address, sourcePort: socket.portValue }),
    });
    const document = DOCUMENT.parse(JSON.parse(check.denied?.body ?? ''));
    // those that the encoder of these tests has values of its own for
    const { protocol: _protocol, size: _size, ...http } = request.http;
    const { attributes: _attributes, ...others } = input;
    expect(document).toMatchObject({ ...others, attributes: { ...(source === undefined ? {} : { source }), request: { http } } });
  });
});
