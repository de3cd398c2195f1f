import { describe, expect, test } from 'vitest';
import type { HttpFacts } from '../../../src/contract/request.ts';
import { createSignatureBench, LINES, signedRequest } from './signed.ts';

/* Whose word counts for the scheme and the host: as for DPoP (docs/identity.md). */

const judge = async (
  publicOrigins: readonly string[],
  http: Partial<HttpFacts>,
  authority = 'api.example',
  trusts: readonly never[] = [],
) => {
  const bench = await createSignatureBench(undefined, {}, { publicOrigins });
  const lines = LINES.map(([name, value]) => [name, name === '"@authority"' ? authority : value] as const);
  return bench.judge(signedRequest({ http, lines, facts: { trusts } }));
};

describe('a gateway that is not trusted for forwarded', () => {
  test('without public origins nobody knows where the request went', async () => {
    expect(await judge([], {})).toBe('unavailable public_origin_unknown');
  });

  test('the host that its client names chooses among the public origins', async () => {
    const origins = ['https://api.example', 'https://other.example:8443'];
    expect(await judge(origins, {})).toBe('present');
    expect(await judge(origins, { host: 'other.example', port: 8443 }, 'other.example:8443')).toBe('present');
    expect(await judge(origins, { host: 'other.example', port: 8443 })).toBe('invalid signature_invalid');
  });

  test('a host that is no public origin is not what the signature is held against', async () => {
    expect(await judge(['https://api.example'], { host: 'evil.example' }, 'evil.example')).toBe('invalid signature_invalid');
    // behind a gateway that rewrites the host any public origin may be meant
    expect(await judge(['https://a.example', 'https://api.example'], { host: 'backend' })).toBe('present');
  });

  test('a signature that does not cover any of it needs no origin', async () => {
    const bench = await createSignatureBench(undefined, {}, { publicOrigins: [] });
    const lines = [['"@method"', 'GET'] as const];
    expect(await bench.judge(signedRequest({ lines, facts: { trusts: [] } }))).toBe('invalid signature_coverage_insufficient');
  });
});

describe('a gateway that is trusted for forwarded', () => {
  const trusting = async (http: Partial<HttpFacts>, authority: string) => {
    const bench = await createSignatureBench(undefined, {}, { publicOrigins: ['https://public.example'] });
    return bench.judge(
      signedRequest({
        http,
        lines: [
          ['"@method"', 'GET'],
          ['"@authority"', authority],
        ],
      }),
    );
  };

  test('is believed, and a default port is left out', async () => {
    expect(await trusting({}, 'api.example')).toBe('present');
    expect(await trusting({ port: 443 }, 'api.example')).toBe('present');
    expect(await trusting({ port: 8443 }, 'api.example:8443')).toBe('present');
    expect(await trusting({ scheme: 'http', port: 443 }, 'api.example:443')).toBe('present');
    expect(await trusting({}, 'public.example')).toBe('invalid signature_invalid');
  });

  test('that does not say the scheme leaves it to the public origins', async () => {
    expect(await trusting({ scheme: '', host: '' }, 'public.example')).toBe('present');
  });
});
