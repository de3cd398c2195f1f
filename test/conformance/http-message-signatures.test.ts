import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { HttpFacts } from '../../src/contract/request.ts';
import { thumbprintOf } from '../../src/identify/dpop-key.ts';
import { checkOfJwk } from '../../src/identify/keys-jwk.ts';
import { HTTP_ALGORITHMS } from '../../src/identify/signature/algorithms.ts';
import { readAgentCard } from '../../src/identify/signature/key-document.ts';
import { coveredEntry, parseSignatureAgent } from '../../src/identify/signature/signature-agent.ts';
import { signatureBase } from '../../src/identify/signature/signature-base.ts';
import { type OfferedSignature, parseSignatures } from '../../src/identify/signature/signature-fields.ts';
import { httpFacts } from '../identify/bound.ts';
import { keysAtHand } from '../identify/fixtures.ts';
import { botOptions, createSignatureBench, directoryOf, profileOptions } from '../identify/signature/signed.ts';
import { refusedOnPurpose } from '../support/refused.ts';
import { vectorCases, vectorDocument } from '../support/vectors.ts';

/* RFC 9421 as published, and Web Bot Auth as its authors test it. */

const TOPIC = 'http-message-signatures';
const JWK = z.record(z.string(), z.json());
const Message = z.object({ start_line: z.string(), headers: z.array(z.tuple([z.string(), z.string()])), body: z.string().optional() });
const Fixture = z.object({ messages: z.record(z.string(), Message), keys: z.record(z.string(), JWK) });
const RfcCase = z.looseObject({
  id: z.string(),
  message: z.union([z.string(), Message]),
  signature_base: z.string(),
  signature_input: z.string(),
  signature: z.string(),
  keyid: z.string(),
  alg: z.string(),
  expect: z.enum(['valid', 'invalid']),
});

function factsOf({ start_line: line, headers }: z.infer<typeof Message>): HttpFacts {
  const [method = '', target = ''] = line.split(' ');
  const queryAt = target.indexOf('?');
  const fields = new Map<string, string[]>();
  for (const [name, value] of headers) fields.set(name.toLowerCase(), [...(fields.get(name.toLowerCase()) ?? []), value]);
  return httpFacts({
    method,
    host: fields.get('host')?.[0] ?? '',
    pathRaw: queryAt < 0 ? target : target.slice(0, queryAt),
    queryRaw: queryAt < 0 ? null : target.slice(queryAt + 1),
    headers: fields,
  });
}

/** The one signature, or the code that refused its form. */
function offered(input: string, signature: string): OfferedSignature | string {
  const parsed = parseSignatures({ input: [input], signature: [signature], hidden: new Map(), body: null }, 8192, () => true);
  return typeof parsed === 'string' ? parsed : (parsed[0] ?? 'nothing');
}

describe('RFC 9421 appendix B', () => {
  const document = vectorDocument(TOPIC, 'rfc9421-appendix-b.json');
  const fixture = document === null ? null : Fixture.parse(document['fixture']);
  const cases = vectorCases(TOPIC, 'rfc9421-appendix-b.json', RfcCase);

  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_, one) => {
    const message = typeof one.message === 'string' ? fixture?.messages[one.message] : one.message;
    const key = fixture?.keys[one.keyid];
    if (message === undefined || key === undefined) return expect.fail('no such fixture');
    const signature = offered(one.signature_input, one.signature);
    if (signature === 'signature_component_unsupported') return refusedOnPurpose();
    if (typeof signature === 'string') return expect.fail(signature);
    const http = factsOf(message);
    const origin = { scheme: 'https', authority: http.host };
    const base = signatureBase(signature, { http, hidden: new Map(), flags: [] }, origin);
    if (typeof base === 'string') return expect.fail(base);
    const check = checkOfJwk(key, HTTP_ALGORITHMS.get(one.alg) ?? '');
    expect(check?.(base, signature.signature)).toBe(one.expect === 'valid');
    if (one.expect === 'valid') expect(base.toString()).toBe(one.signature_base);

    // and by the whole stage, with nothing asked for that the case does not have; its time has passed by now
    const bench = await createSignatureBench(
      { profiles: [profileOptions({ algorithms: [one.alg], components: [], ageMaxSeconds: 1_000_000_000 })] },
      keysAtHand([key]),
    );
    const offer = { input: [one.signature_input], signature: [one.signature], hidden: new Map(), body: null };
    expect(await bench.judge({ http, signature: offer })).toBe(one.expect === 'valid' ? 'present' : 'invalid signature_invalid');
  });
});

const BotCase = z.looseObject({
  id: z.string(),
  key: JWK,
  target_url: z.string(),
  created_ms: z.number(),
  expires_ms: z.number(),
  signature: z.string(),
  signature_input: z.string(),
  signature_agent: z.string().optional(),
  signature_base: z.string(),
});

describe.each(['web-bot-auth-architecture-v1.json', 'web-bot-auth-architecture-v2.json'])('%s', (file) => {
  const cases = vectorCases(TOPIC, file, BotCase);
  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_, one) => {
    const url = new URL(one.target_url);
    const headers = new Map([
      ['signature-input', [one.signature_input]],
      ...(one.signature_agent === undefined ? [] : [['signature-agent', [one.signature_agent]] as const]),
    ]);
    const http = httpFacts({ host: url.host, pathRaw: url.pathname, queryRaw: null, headers });
    const signature = offered(one.signature_input, one.signature);
    if (typeof signature === 'string') return expect.fail(signature);
    const base = signatureBase(signature, { http, hidden: new Map(), flags: [] }, { scheme: 'https', authority: url.host });
    expect(base.toString()).toBe(one.signature_base);
    expect(signature.parameters.keyId).toBe(thumbprintOf(one.key));
    const check = checkOfJwk(one.key, HTTP_ALGORITHMS.get(signature.parameters.algorithm ?? '') ?? '');
    expect(typeof base !== 'string' && check?.(base, signature.signature)).toBe(true);

    const bench = await createSignatureBench({ profiles: [], webBotAuth: botOptions() }, directoryOf([one.key]));
    bench.clock.wallSeconds = one.created_ms / 1000 + 60;
    const offer = { input: [one.signature_input], signature: [one.signature], hidden: new Map(), body: null };
    const found = await bench.judge({ http, signature: offer });
    if (found !== 'present') refusedOnPurpose();
    const day = one.expires_ms - one.created_ms > 86_400_000;
    expect(found).toBe(
      day ? 'invalid signature_lifetime_too_long' : headers.has('signature-agent') ? 'present' : 'invalid signature_agent_missing',
    );
  });
});

describe('thumbprints of RFC 7638 and RFC 8037', () => {
  const Vector = z.object({ name: z.string(), jwk: z.string(), thumbprint: z.string() });
  const vectors = z.array(Vector).parse(vectorDocument(TOPIC, 'jwk-thumbprints.json')?.['vectors'] ?? []);
  test.each(vectors.map((one) => [one.name, one] as const))('%s', (_, { jwk, thumbprint }) => {
    expect(thumbprintOf(JWK.parse(JSON.parse(jwk)))).toBe(thumbprint);
  });
});

describe('Signature-Agent', () => {
  const Case = z.looseObject({
    id: z.string(),
    header: z.string(),
    entries: z.array(z.object({ label: z.string(), uri: z.string(), type: z.string() })),
  });
  test.each(vectorCases(TOPIC, 'web_bot_auth_signature_agent_v1.json', Case).map((one) => [one.id, one] as const))('%s', (_, one) => {
    const entries = parseSignatureAgent(one.header);
    expect(entries).toEqual(one.entries);
    const component = { name: 'signature-agent', text: '', identity: '', member: 'sig1', form: 'plain' } as const;
    expect(coveredEntry(entries ?? [], [component], 'x')).toEqual(one.entries[0]);
  });
});

describe('client id metadata documents of agents', () => {
  const Case = z.looseObject({ id: z.string(), url: z.string(), card: z.json(), valid: z.boolean() });
  test.each(vectorCases(TOPIC, 'web_bot_auth_signature_agent_card_v1.json', Case).map((one) => [one.id, one] as const))('%s', (_, one) => {
    expect(readAgentCard(one.card, one.url) !== null).toBe(one.valid);
  });
});
