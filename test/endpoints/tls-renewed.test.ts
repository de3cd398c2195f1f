import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAuthority, type MadeCertificate } from '../support/certificates.ts';
import { startGrpc } from '../support/grpc-fixture.ts';
import { serve } from './fixtures.ts';

/** As the listeners have it. */
const LOOK_MS = 10_000;
const authority = createAuthority();
const leaf = () => authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-tls-renewed-'));
  // what waits for the next look, and nothing else
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function put({ pem, keyPem }: MadeCertificate) {
  const tls = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key'), clientCaFile: null };
  writeFileSync(tls.certFile, pem);
  writeFileSync(tls.keyFile, keyPem);
  return tls;
}

async function serialAt(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.pem, ALPNProtocols: ['h2', 'http/1.1'] });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

const LISTENERS = {
  http: async (tls: ReturnType<typeof put>) => {
    const { listener, port } = await serve(undefined, { tls });
    return { port, stop: () => listener.stop(100) };
  },
  grpc: async (tls: ReturnType<typeof put>) => {
    const { listener, port } = await startGrpc({ tls });
    return { port, stop: () => listener.stop(100) };
  },
};

test.each(['http', 'grpc'] as const)('the %s listener shows a renewed certificate at its next look', async (name) => {
  const { port, stop } = await LISTENERS[name](put(leaf()));
  const before = await serialAt(port);
  put(leaf());
  expect(await serialAt(port)).toBe(before);
  vi.advanceTimersByTime(LOOK_MS);
  await vi.waitFor(async () => expect(await serialAt(port)).not.toBe(before), { timeout: 5000, interval: 20 });
  // the drain sweeps by an interval of its own
  vi.useRealTimers();
  await stop();
});
