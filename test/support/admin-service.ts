import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { editBundle } from '../decide/bundles.ts';
import { baseBundle } from '../decide/fixtures.ts';
import { OPERATORS } from './admin-client.ts';
import { type Countersign, startCountersign } from './countersign.ts';

/** A folder with the base pack as a bundle, and room for states. */
export type AdminFolder = { readonly path: string; readonly bundle: string; readonly remove: () => void };

export async function createAdminFolder(): Promise<AdminFolder> {
  const path = mkdtempSync(join(tmpdir(), 'countersign-admin-'));
  const bundle = join(path, 'bundle.tar.gz');
  writeFileSync(bundle, await baseBundle());
  return { path, bundle, remove: () => rmSync(path, { recursive: true }) };
}

/** The service on a bundle, with a state folder of this name: a new one, or one that another service left. */
export function startAdminService(folder: AdminFolder, state: string, until: 'ready' | 'live' = 'ready'): Promise<Countersign> {
  return startCountersign({
    config: {
      operations: { tokens: OPERATORS },
      state: { directory: join(folder.path, state) },
      policy: { bundle: folder.bundle },
      peps: [{ name: 'local', anonymous: true, trusts: ['client_address', 'explain'] }],
      admin: { documentMaxBytes: 65_536, dataMaxBytes: 131_072, exceptionMaxSeconds: 3600, exceptionsMax: 5 },
      drain: { noticeMs: 0, boundMs: 1000 },
    },
    until,
  });
}

const questionOf = (path: string, ip: string) =>
  JSON.stringify({ request: { id: '1', method: 'GET', scheme: 'https', host: 'api.example.com', path, headers: {} }, source: { ip } });

/** Asks about a GET of a path, from an address. */
export async function decide(port: number, path: string, ip = '192.0.2.1', explain = false): Promise<Record<string, unknown>> {
  const url = `http://127.0.0.1:${port}/decide${explain ? '?explain=true' : ''}`;
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: questionOf(path, ip) });
  return JSON.parse(await answer.text());
}

/** Codes of the reasons of a decision. */
export const codesOf = (decision: Record<string, unknown>): unknown[] =>
  Array.isArray(decision['reasons']) ? decision['reasons'].map(({ code }) => code) : [];
/** Lines of the operational log by their event. */
export const linesOf = (one: Countersign, event: string): Record<string, unknown>[] =>
  one
    .output()
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line));

/** What `/status` says of the policy. */
export async function statusOf(one: Countersign): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${one.operationsPort}/status`, { headers: { authorization: 'Bearer viewer-token' } });
  return JSON.parse(await answer.text()).policies[0];
}
/** The base pack under another revision, with its texts changed. */
export async function revisedBundle(revision: string, change: (text: string) => string = (text) => text): Promise<Uint8Array> {
  return editBundle(await baseBundle(), (files) => {
    const manifest: unknown = JSON.parse(change(Buffer.from(files.get('.manifest') ?? '').toString()));
    files.set('.manifest', JSON.stringify({ ...Object(manifest), revision }));
    files.set('data.json', change(Buffer.from(files.get('data.json') ?? '').toString()));
  });
}
