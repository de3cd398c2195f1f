import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Decision } from '../../src/contract/decision.ts';
import { createAuthority, type MadeCertificate } from '../support/certificates.ts';
import { encodeCheck } from '../support/ext-authz-wire.ts';
import { connectGrpc, frame, readAnswer } from '../support/grpc-client.ts';
import { CHECK, checkOf, decision, denial, type Fixture, PEP_TOKEN, pep, startGrpc, tokenPep } from '../support/grpc-fixture.ts';

let server: Fixture;
afterEach(() => server.close());

const tick = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a drain', () => {
  test('stop lets what is in flight end, and takes nothing new', async () => {
    const waiting: ((made: Decision) => void)[] = [];
    server = await startGrpc({ deadlineMs: 5_000, decide: () => new Promise((resolve) => waiting.push(resolve)) });
    const answers = Array.from({ length: 20 }, () => server.check());
    while (waiting.length < 20) await tick(1);
    const stopped = server.listener.stop(60_000);
    for (const resolve of waiting) resolve(decision());
    expect((await Promise.all(answers)).map(({ code }) => code)).toEqual(Array(20).fill(0));
    await stopped;
    await expect(connectGrpc(server.url)).rejects.toThrow();
  });

  test('what does not end is cut at the bound', async () => {
    server = await startGrpc({ deadlineMs: 600_000, decide: () => new Promise(() => {}) });
    const answer = server.client.unary(CHECK, encodeCheck({}));
    while (server.asked.length === 0) await tick(1);
    await server.listener.stop(20);
    expect((await answer).grpcStatus).toBeNull();
  });

  test('sockets that never became a session do not hold it up', async () => {
    server = await startGrpc();
    // neither says a word nor reads one
    const idle = connectTcp(server.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.on('error', () => {});
    await server.check();
    // far beyond the time of this test: the bound is not what ends it
    await server.listener.stop(600_000);
    idle.destroy();
  });

  test('stop without sessions, and twice, comes to its end', async () => {
    server = await startGrpc();
    server.client.session.destroy();
    await tick(10);
    await Promise.all([server.listener.stop(600_000), server.listener.stop(600_000)]);
  });

  test('a port that is taken refuses the start', async () => {
    server = await startGrpc();
    await expect(startGrpc({ port: server.port })).rejects.toMatchObject({ code: 'listen_failed' });
  });
});

describe('a connection survives', () => {
  test('thousands of checks that the gateway gave up (TRAPS 3: the default cuts the connection after 1,000)', async () => {
    server = await startGrpc({ deadlineMs: 60_000, decide: () => new Promise(() => {}) });
    const { session } = server.client;
    for (let round = 0; round < 15; round++) {
      const streams = Array.from({ length: 200 }, () => {
        const stream = server.client.open(CHECK);
        stream.on('error', () => {});
        stream.end(frame(encodeCheck({})));
        return stream;
      });
      while (server.asked.length < (round + 1) * 200) await tick(1);
      const closed = streams.map((stream) => new Promise((resolve) => stream.on('close', resolve)));
      for (const stream of streams) stream.close(8);
      await Promise.all(closed);
    }
    expect([session.destroyed, session.closed]).toEqual([false, false]);
    expect((await server.client.unary(CHECK, Buffer.from([1]))).grpcStatus).toBe(0);
  });

  test('a decision that comes after the stream is gone', async () => {
    const waiting: ((made: Decision) => void)[] = [];
    server = await startGrpc({ deadlineMs: 5_000, decide: () => new Promise((resolve) => waiting.push(resolve)) });
    const stream = server.client.open(CHECK);
    stream.on('error', () => {});
    stream.end(frame(encodeCheck({})));
    while (waiting.length === 0) await tick(1);
    stream.close(8);
    await new Promise((resolve) => stream.on('close', resolve));
    await tick(5);
    for (const resolve of waiting) resolve(denial());
    await tick(5);
    expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('TLS', () => {
  const authority = createAuthority();
  const directory = mkdtempSync(join(tmpdir(), 'countersign-grpc-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  let tls: { certFile: string; keyFile: string; clientCaFile: string };
  const uri = 'spiffe://td.test/gateway';
  const gateway = pep({ name: 'gateway', anonymous: false, certificate: { uri }, trusts: ['client_address'] });
  const show = ({ pem, keyPem }: MadeCertificate) => ({ ca: authority.pem, cert: pem, key: keyPem, servername: 'localhost' });
  beforeAll(() => {
    const { pem, keyPem } = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
    tls = { certFile: file('cert.pem', pem), keyFile: file('key.pem', keyPem), clientCaFile: file('ca.pem', authority.pem) };
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('a gateway is known by its certificate; another certificate of the same authority is nobody', async () => {
    server = await startGrpc({ tls, peps: [gateway] });
    const known = await connectGrpc(server.url, show(authority.client({ commonName: 'gw', uris: [uri] })));
    expect(checkOf(await known.unary(CHECK, encodeCheck({ sourceIp: '203.0.113.7' }))).code).toBe(0);
    expect(server.asked[0]?.pep.name).toBe('gateway');
    const other = await connectGrpc(server.url, show(authority.client({ commonName: 'gw', uris: [`${uri}-2`] })));
    expect(checkOf(await other.unary(CHECK, encodeCheck({}))).denied?.status).toBe(403);
    expect(server.asked).toHaveLength(1);
    await Promise.all([known.close(), other.close()]);
  });

  test('no certificate, and one of a foreign authority, get no connection', async () => {
    server = await startGrpc({ tls, peps: [gateway] });
    const refused = async (options: object) => {
      const client = await connectGrpc(server.url, { ca: authority.pem, servername: 'localhost', ...options }).catch(() => null);
      return client === null ? null : (await client.unary(CHECK, encodeCheck({}))).grpcStatus;
    };
    expect(await refused({})).toBeNull();
    expect(await refused(show(createAuthority().client({ commonName: 'gw', uris: [uri] })))).toBeNull();
    expect(server.asked).toEqual([]);
  });

  test('TLS alone, with the gateway known by its token', async () => {
    server = await startGrpc({ tls: { ...tls, clientCaFile: null }, peps: [tokenPep([])] });
    const client = await connectGrpc(server.url, { ca: authority.pem, servername: 'localhost' });
    expect(checkOf(await client.unary(CHECK, encodeCheck({}), { 'x-countersign-pep-token': PEP_TOKEN })).code).toBe(0);
    expect(checkOf(await client.unary(CHECK, encodeCheck({}))).denied?.status).toBe(403);
    await client.close();
  });

  test('a TLS client without ALPN neither stays nor holds up the drain', async () => {
    server = await startGrpc({ tls: { ...tls, clientCaFile: null } });
    const socket = connectTls({ port: server.port, host: '127.0.0.1', ca: authority.pem, servername: 'localhost' });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('close', resolve));
    const handshaking = connectTcp(server.port, '127.0.0.1');
    handshaking.on('error', () => {});
    await new Promise((resolve) => handshaking.once('connect', resolve));
    await server.listener.stop(600_000);
  });

  test('a key that cannot be read refuses the start', async () => {
    server = await startGrpc();
    await expect(startGrpc({ tls: { ...tls, keyFile: join(directory, 'away.pem') } })).rejects.toMatchObject({ code: 'listen_failed' });
  });
});

describe('memory, in a process of its own', () => {
  let child: ChildProcess;
  let url: string;
  const told = () => new Promise<number>((resolve) => child.once('message', (value) => resolve(Number(value))));
  const heldBytes = () => {
    const answer = told();
    child.send('how much');
    return answer;
  };
  beforeAll(async () => {
    child = fork(join(import.meta.dirname, '../support/grpc-memory-server.ts'), { execArgv: ['--expose-gc'] });
    url = `http://127.0.0.1:${await told()}`;
  });
  afterAll(() => child.disconnect());

  test('[asks 87] a message of 200 MB is drained without being held', async () => {
    server = await startGrpc();
    const client = await connectGrpc(url);
    await client.unary(CHECK, encodeCheck({}));
    const before = await heldBytes();
    const chunk = Buffer.alloc(1 << 20);
    const stream = client.open(CHECK);
    const answer = readAnswer(stream);
    stream.write(frame(Buffer.alloc(0), 0, 200 * chunk.length));
    let highest = 0;
    for (let sent = 0; sent < 200; sent++) {
      if (!stream.write(chunk)) await new Promise((resolve) => stream.once('drain', resolve));
      if (sent % 10 === 0) highest = Math.max(highest, (await heldBytes()) - before);
    }
    stream.end();
    expect(checkOf(await answer).denied?.status).toBe(413);
    expect(highest).toBeLessThan(10 << 20);
    client.session.destroy();
  });

  test('[asks 86] short connections with a health check leave nothing behind', async () => {
    server = await startGrpc();
    const probe = async () => {
      const client = await connectGrpc(url);
      expect((await client.unary('/grpc.health.v1.Health/Check', Buffer.alloc(0))).grpcStatus).toBe(0);
      client.session.destroy();
    };
    const probes = async (count: number) => {
      for (let done = 0; done < count; done += 20) await Promise.all(Array.from({ length: 20 }, probe));
      return heldBytes();
    };
    const warm = await probes(400);
    expect((await probes(2_000)) - warm).toBeLessThan(1 << 20);
  });
});
