import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Logger } from '../../src/contract/stages.ts';
import { followTls, readTls, type TlsFiles } from '../../src/endpoints/tls-files.ts';
import { type Authority, createAuthority, type MadeCertificate } from '../support/certificates.ts';

const LOOK_MS = 10;
const NAMES = { dns: ['localhost'], ips: [] };

let folder = '';
let files: TlsFiles;
let lines: string[] = [];
let end: () => Promise<void>;
let port = 0;
let ours: Authority;

const logger: Logger = {
  debug: () => {},
  info: (event) => void lines.push(event),
  warn: (event) => void lines.push(event),
  error: (event) => void lines.push(event),
};

/** Over a rename, so that no look sees half a file. */
function put(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

async function told(event: string, times = 1): Promise<void> {
  for (let tries = 0; lines.filter((line) => line === event).length < times; tries += 1) {
    if (tries === 500) throw new Error(`no ${event} in ${lines.join()}`);
    await sleep(LOOK_MS);
  }
}

/** The serial of the server's certificate, and whether this client's own is accepted: by what the server says after the handshake. */
async function shake(
  ca: Authority,
  client: MadeCertificate,
  session?: Buffer,
): Promise<{ serial: string; text: string; ticket: Buffer | undefined; resumed: boolean }> {
  const socket: TLSSocket = tlsConnect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: ca.pem,
    cert: client.pem,
    key: client.keyPem,
    session,
  });
  let text = '';
  let ticket: Buffer | undefined;
  socket.on('session', (made: Buffer) => {
    ticket = made;
  });
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  const serial = socket.getPeerCertificate().serialNumber ?? '';
  const resumed = socket.isSessionReused();
  await once(socket, 'close');
  return { serial: serial.toLowerCase(), text, ticket, resumed };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-tls-files-'));
  files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key'), clientCaFile: join(folder, 'ca.crt') };
  lines = [];
  ours = createAuthority();
  const leaf = ours.server(NAMES);
  put(files.certFile, leaf.pem);
  put(files.keyFile, leaf.keyPem);
  put(files.clientCaFile ?? '', ours.pem);
  const read = readTls(files);
  const server = createServer(read, (socket) => socket.end('hello'));
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  const unfollow = followTls(server, files, read, { listener: 'grpc', logger, lookMs: LOOK_MS });
  end = async () => {
    unfollow();
    server.close();
    await once(server, 'close');
  };
});
afterEach(async () => {
  await end();
  rmSync(folder, { recursive: true, force: true });
});

test('a renewed certificate is shown to the connections to come', async () => {
  const client = ours.client({ commonName: 'edge', uris: [] });
  const before = await shake(ours, client);
  expect(before.text).toBe('hello');
  const renewed = ours.server(NAMES);
  put(files.certFile, renewed.pem);
  // until the key has come too, the old pair is shown, and it is told once
  await told('tls_reload_failed');
  await sleep(5 * LOOK_MS);
  expect(lines).toEqual(['tls_reload_failed']);
  expect((await shake(ours, client)).serial).toBe(before.serial);
  put(files.keyFile, renewed.keyPem);
  await told('tls_reloaded');
  const after = await shake(ours, client);
  expect(after.text).toBe('hello');
  expect(after.serial).not.toBe(before.serial);
});

test('a file that is gone, or holds no certificate, leaves the old one', async () => {
  const client = ours.client({ commonName: 'edge', uris: [] });
  rmSync(files.keyFile);
  await told('tls_reload_failed');
  put(files.keyFile, 'no key');
  await told('tls_reload_failed', 2);
  expect((await shake(ours, client)).text).toBe('hello');
});

test('once another CA is the one of the gateways, a certificate of the old one is refused, in a resumed session too', async () => {
  const client = ours.client({ commonName: 'edge', uris: [] });
  expect(await shake(ours, client, (await shake(ours, client)).ticket)).toMatchObject({ text: 'hello', resumed: true });
  const { ticket } = await shake(ours, client);
  expect(ticket).toBeDefined();
  const theirs = createAuthority('Another CA');
  put(files.clientCaFile ?? '', theirs.pem);
  await told('tls_reloaded');
  expect((await shake(ours, client)).text).toBe('');
  expect(await shake(ours, client, ticket)).toMatchObject({ text: '', resumed: false });
  expect((await shake(ours, theirs.client({ commonName: 'edge', uris: [] }))).text).toBe('hello');
});
