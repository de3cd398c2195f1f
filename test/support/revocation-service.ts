import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAdminClient, OPERATORS } from './admin-client.ts';
import type { AdminFolder } from './admin-service.ts';
import { type Countersign, startCountersign } from './countersign.ts';

/** A real service whose operators revoke. */
export type RevocationService = {
  readonly process: Countersign;
  readonly admin: ReturnType<typeof createAdminClient>;
  /** All of `/status`. */
  readonly status: () => Promise<Record<string, unknown>>;
  readonly stop: () => Promise<unknown>;
  /** Overwrites what it keeps below a folder of state. */
  readonly damage: (state: string) => void;
};

export type RevocationServiceOptions = {
  readonly state?: string;
  readonly registry?: object;
  readonly store?: object;
  readonly required?: boolean;
  readonly entriesMax?: number;
  readonly until?: 'ready' | 'live';
};

/** The base pack, and a gateway that is trusted for everything that can be revoked. */
export async function revocationService(
  { bundle }: AdminFolder,
  { state, registry, store, required = true, entriesMax = 1000, until = 'ready' }: RevocationServiceOptions,
): Promise<RevocationService> {
  const process = await startCountersign({
    config: {
      operations: { tokens: OPERATORS },
      ...(state === undefined ? {} : { state: { directory: state } }),
      ...(registry === undefined ? {} : { registry }),
      ...(store === undefined ? {} : { store }),
      admin: { revocations: { required, entriesMax } },
      policy: { bundle },
      peps: [{ name: 'local', anonymous: true, trusts: ['client_address', 'claims', 'client_certificate', 'explain'] }],
      drain: { noticeMs: 0, boundMs: 1000 },
    },
    until,
  });
  return {
    process,
    admin: createAdminClient(process.operationsPort),
    async status() {
      const headers = { authorization: 'Bearer viewer-token' };
      return JSON.parse(await (await fetch(`http://127.0.0.1:${process.operationsPort}/status`, { headers })).text());
    },
    stop: () => process.stop(),
    damage: (state) => writeFileSync(join(state, 'revocations', 'revocations.db'), 'this is no database at all'.repeat(200)),
  };
}

/** What a decision says of each signal: `present`, or the code. */
export async function signalsOf(
  { process }: RevocationService,
  { headers = {}, ...evidence }: { readonly headers?: object; readonly token?: object; readonly certificate?: object },
): Promise<Record<string, unknown>> {
  const request = { method: 'GET', scheme: 'https', host: 'api.example.com', path: '/orders/1', headers };
  const answer = await fetch(`http://127.0.0.1:${process.httpPort}/decide?explain=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request, source: { ip: '192.0.2.1' }, ...evidence }),
  });
  const { signals = {} } = JSON.parse(await answer.text());
  return Object.fromEntries(
    Object.entries<{ status: string; code?: string }>(signals).map(([name, { status, code }]) => [
      name,
      status === 'present' ? status : code,
    ]),
  );
}
