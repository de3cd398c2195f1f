import { afterAll, describe, expect, test } from 'vitest';
import { CountersignError } from '../../../src/contract/errors.ts';
import type { HttpFetch } from '../../../src/stores/http-fetch.ts';
import { ISSUER } from '../fixtures.ts';
import { ACTIVE, createIntrospectionBench, type IntrospectionBench } from './fixtures.ts';

const benches: IntrospectionBench[] = [];
afterAll(() => Promise.all(benches.map(({ server }) => server.stop())));

/** A bench whose server is found by metadata that a test gives. */
async function bench(metadata: (endpoint: string) => unknown) {
  const fetched: string[] = [];
  let endpoint = '';
  const httpFetch: HttpFetch = async (url) => {
    fetched.push(url);
    const document = metadata(endpoint);
    if (document === null) throw new CountersignError('fetch_failed');
    return { bytes: Buffer.from(JSON.stringify(document)), contentType: 'application/json' };
  };
  const made = await createIntrospectionBench(() => ACTIVE, { introspection: { endpoint: null }, parts: { httpFetch } });
  benches.push(made);
  endpoint = made.server.url;
  return { ...made, fetched };
}

describe('the endpoint by metadata', () => {
  test('is looked up once for many, and kept', async () => {
    const { judge, fetched, server } = await bench((endpoint) => ({ issuer: ISSUER, introspection_endpoint: endpoint }));
    expect(await Promise.all(['a', 'b', 'c'].map((token) => judge(token)))).toEqual(['present', 'present', 'present']);
    expect(await judge('d')).toBe('present');
    expect(await judge('a')).toBe('present');
    expect(fetched).toEqual([`${ISSUER}/.well-known/openid-configuration`]);
    expect(server.asked).toHaveLength(4);
  });

  test('is looked up again where it is not there any more, and not for one odd token', async () => {
    const { judge, fetched, server } = await bench((endpoint) => ({ issuer: ISSUER, introspection_endpoint: endpoint }));
    server.answer = ({ token }) =>
      token === 'good' ? ACTIVE : (response) => void response.writeHead(token === 'odd' ? 400 : 404, {}).end();
    expect(await judge('odd')).toBe('unavailable introspection_unavailable');
    expect(await judge('good')).toBe('present');
    expect(fetched).toHaveLength(1);
    expect(await judge('gone')).toBe('unavailable introspection_unavailable');
    expect(await judge('gone')).toBe('unavailable introspection_unavailable');
    expect(fetched).toHaveLength(2);
  });

  test.each<[string, (endpoint: string) => unknown]>([
    ['that is away', () => null],
    ['of another issuer', (endpoint) => ({ issuer: 'https://other.example', introspection_endpoint: endpoint })],
    ['without the endpoint', () => ({ issuer: ISSUER })],
    ['with an endpoint over plain http', () => ({ issuer: ISSUER, introspection_endpoint: 'http://as.example/introspect' })],
    ['with an endpoint that is no text', () => ({ issuer: ISSUER, introspection_endpoint: 1 })],
  ])('metadata %s: unavailable, and nobody is shown the token', async (_what, metadata) => {
    const { judge, server } = await bench(metadata);
    expect(await judge('good')).toBe('unavailable introspection_unavailable');
    expect(server.asked).toHaveLength(0);
  });
});
