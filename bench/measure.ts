import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadJob, type LoadResult, packQuestions, type Question } from './load/questions.ts';
import { LOADER_LAUNCHER } from './peers.ts';

/** Runs the load process once, on its own core. */
export function runLoad(job: LoadJob): Promise<LoadResult> {
  return runLoader('load/load.ts', job);
}

/** Runs a script of the bench on the loader's core: it reads its job on stdin, and writes its result, both as JSON. */
export function runLoader<T>(script: string, job: Pick<LoadJob, 'protocol' | 'port'>): Promise<T> {
  const command = [...LOADER_LAUNCHER, process.execPath, join(import.meta.dirname, script)];
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(job));
  const out: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(out).toString('utf8')));
      else reject(new Error(`the load process ended with ${code} (${job.protocol} on port ${job.port})`));
    });
  });
}

/** Writes questions where the load process reads them; gives the file's name. */
export function writeQuestions(directory: string, name: string, questions: readonly Question[]): string {
  const file = join(directory, `${name}.questions`);
  writeFileSync(file, packQuestions(questions));
  return file;
}

/** The middle one; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** CPU seconds that a process has used so far, over all its threads; 0 where the system has no /proc. */
export function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100; // utime and stime in ticks of 10 ms (proc_pid_stat(5))
  } catch {
    return 0;
  }
}
