import { describe, expect, test } from 'vitest';
import type { Pep } from '../../src/contract/pep.ts';
import { type RawHttp, receiveHttpFacts } from '../../src/endpoints/request-facts.ts';

const pep: Pep = {
  name: 'edge',
  trusts: new Set(['client_certificate']),
  policies: ['default'],
  certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
  forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
};
const INPUT = ['Signature-Input', 'sig1=();created=1'] as const;

const receive = (headers: RawHttp['headers'], body: Partial<RawHttp['body']> = {}) =>
  receiveHttpFacts(
    {
      method: 'POST',
      scheme: 'https',
      authority: 'api.example.com',
      target: '/a?x=%2F&y',
      headers,
      body: { bytes: null, truncated: false, size: null, ...body },
    },
    pep,
  );

describe('a signature', () => {
  test('is handed on apart from what policies see, its input and agent among the headers', () => {
    const { http, signature } = receive([
      INPUT,
      ['signature-agent', 'a="https://a.example"'],
      ['Signature', 'sig1=:AA==:'],
      ['signature', 'b=:AA==:'],
    ]);
    expect(signature).toMatchObject({ input: ['sig1=();created=1'], signature: ['sig1=:AA==:', 'b=:AA==:'], body: null });
    expect([...http.headers.keys()]).toEqual(['signature-input', 'signature-agent']);
    expect(http.queryRaw).toBe('x=%2F&y');
  });

  test('without its input, or the input alone, is one too; neither is none', () => {
    expect(receive([['signature', 'sig1=:AA==:']]).signature).toMatchObject({ input: [], signature: ['sig1=:AA==:'] });
    expect(receive([INPUT]).signature).toMatchObject({ input: [INPUT[1]], signature: [] });
    expect(receive([['accept', '*/*']]).signature).toBeNull();
  });

  test('may cover credentials; what only looks like one, and what the gateway adds, is not there', () => {
    const { signature } = receive([
      INPUT,
      ['authorization', 'Bearer a'],
      ['Cookie', 'a=1'],
      ['cookie', 'b=2'],
      ['x_api_key', 'secret'],
      ['x-forwarded-client-cert', 'Hash=aa'],
      ['client-cert', ':AA==:'],
      [':path', '/'],
    ]);
    expect([...(signature?.hidden ?? [])]).toEqual([
      ['authorization', ['Bearer a']],
      ['cookie', ['a=1', 'b=2']],
    ]);
  });

  test('does not cover a credential of which some lines were cut off', () => {
    const lines = Array.from({ length: 17 }, () => ['cookie', 'a=1'] as const);
    expect(receive([INPUT, ...lines]).signature?.hidden.size).toBe(0);
  });

  test.each([
    ['whole', { bytes: Buffer.from('{}'), size: 2 }, '{}'],
    ['cut', { bytes: Buffer.from('{}'), truncated: true }, undefined],
    ['shorter than it was', { bytes: Buffer.from('{}'), size: 3 }, undefined],
    ['not there', {}, undefined],
  ])('comes with the body where it is %s', (_, body, text) => {
    expect(receive([INPUT], body).signature?.body?.toString()).toBe(text);
  });
});
