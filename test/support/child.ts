import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export type ChildExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A process that a test or the bench started, with all that it printed. */
export interface Child {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<ChildExit>;
  /** Sends the signal and waits; SIGKILL after `boundMs`. Once it is gone, gives the same exit again. */
  stop(signal?: NodeJS.Signals, boundMs?: number): Promise<ChildExit>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program itself, never through npm or a shell, so that a signal reaches it (TRAPS 8). */
export function startChild(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Child {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('error', (error) => {
      err.push(Buffer.from(`${error}\n`));
      resolve({ code: null, signal: null });
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid ?? -1,
    stdout: () => Buffer.concat(out).toString('utf8'),
    stderr: () => Buffer.concat(err).toString('utf8'),
    exited,
    kill: (signal) => void child.kill(signal),
    async stop(signal = 'SIGTERM', boundMs = 10_000) {
      child.kill(signal);
      const killer = setTimeout(() => child.kill('SIGKILL'), boundMs);
      const exit = await exited;
      clearTimeout(killer);
      return exit;
    },
  };
}

/** Asks every 20 ms until the answer is true; fails with the child's output when it ended or the time is over. */
export async function waitUntil(what: string, child: Child, ready: () => Promise<boolean>, boundMs = 30_000): Promise<void> {
  let gone = false;
  void child.exited.then(() => {
    gone = true;
  });
  const end = Date.now() + boundMs;
  while (Date.now() < end && !gone) {
    if (await ready().catch(() => false)) return;
    await sleep(20);
  }
  const became = gone ? 'ended' : 'was not ready in time';
  await child.stop('SIGKILL');
  throw new Error(`${what} ${became}:\n${child.stdout().slice(-2000)}\n${child.stderr().slice(-4000)}`);
}
