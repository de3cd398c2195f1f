import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { QUESTION, type Served, sendRaw, serve } from './fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-tls-'));
const authority = createAuthority();
const server = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const tls = {
  certFile: file('cert.pem', server.pem),
  keyFile: file('key.pem', server.keyPem),
  clientCaFile: file('ca.pem', authority.pem),
};
const client = (uri: string) => authority.client({ commonName: 'client', uris: [uri] });

let mutual: Served;
beforeAll(async () => {
  mutual = await serve(undefined, { tls });
});
afterAll(async () => {
  await mutual.listener.stop(1000);
  rmSync(folder, { recursive: true });
});

function askTls(port: number, identity: { pem: string; keyPem: string } | null, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const own = identity === null ? {} : { cert: identity.pem, key: identity.keyPem };
    const options = { host: '127.0.0.1', port, method: 'POST', path: '/decide', ca: authority.pem, agent: false, ...own };
    const sent = request({ ...options, headers: { 'content-type': 'application/json', ...headers } }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(QUESTION));
  });
}

describe('mTLS', () => {
  test('a gateway is known by the URI of its certificate', async () => {
    expect(await askTls(mutual.port, client('spiffe://td.test/edge'))).toBe(200);
    expect(mutual.asked.at(-1)?.pep.name).toBe('edge');
  });

  test('a certificate of nobody is 401, never the anonymous gateway; with a good token it is that token', async () => {
    expect(await askTls(mutual.port, client('spiffe://td.test/other'))).toBe(401);
    expect(await askTls(mutual.port, client('spiffe://td.test/edge,URI:x'))).toBe(401);
    expect(await askTls(mutual.port, client('spiffe://td.test/other'), { 'x-countersign-pep-token': 'bare-token' })).toBe(200);
    expect(mutual.asked.at(-1)?.pep.name).toBe('bare');
  });

  test('no certificate, one of another CA, and plain text do not get through, and the listener lives', async () => {
    await expect(askTls(mutual.port, null)).rejects.toThrow();
    const foreign = createAuthority('Another CA').client({ commonName: 'x', uris: ['spiffe://td.test/edge'] });
    await expect(askTls(mutual.port, foreign)).rejects.toThrow();
    expect(await sendRaw(mutual.port, 'POST /decide HTTP/1.1\r\n\r\n')).not.toContain('200');
    expect(await askTls(mutual.port, client('spiffe://td.test/edge'))).toBe(200);
  });
});

test('TLS without a client CA asks for no certificate', async () => {
  const oneSided = await serve(undefined, { tls: { ...tls, clientCaFile: null } });
  expect(await askTls(oneSided.port, null)).toBe(200);
  expect(oneSided.asked.at(-1)?.pep.name).toBe('local');
  await oneSided.listener.stop(1000);
});

test('a file that is not there refuses the start', async () => {
  await expect(serve(undefined, { tls: { ...tls, keyFile: join(folder, 'none') } })).rejects.toMatchObject({ code: 'listen_failed' });
});
