// Starting other programs.
import { spawn } from 'node:child_process';
import { ROOT, toolEnv } from './project.mjs';

/** A failure whose message is the whole story: it is printed without a stack. */
export class Stop extends Error {}

/**
 * @typedef {{ cwd?: string, env?: Record<string, string>, timeoutMs?: number }} RunOptions
 * @typedef {{ ok: boolean, code: number | null, stdout: string, stderr: string, problem: string | null }} Ran
 */

/**
 * Runs a program to its end. It never throws: a program that is not there is a `problem` as well.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {RunOptions & { show?: boolean }} options `show` passes its output on to ours instead of keeping it
 * @returns {Promise<Ran>}
 */
export function run(program, args, { cwd = ROOT, env = {}, timeoutMs = 600_000, show = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: toolEnv(env),
      stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    /** @type {Buffer[]} */
    const out = [];
    /** @type {Buffer[]} */
    const err = [];
    child.stdout?.on('data', (chunk) => out.push(chunk));
    child.stderr?.on('data', (chunk) => err.push(chunk));
    let late = false;
    const term = setTimeout(() => {
      late = true;
      child.kill('SIGTERM');
    }, timeoutMs);
    const kill = setTimeout(() => child.kill('SIGKILL'), timeoutMs + 10_000);
    /** @param {number | null} code @param {string | null} problem */
    const end = (code, problem) => {
      clearTimeout(term);
      clearTimeout(kill);
      const stdout = Buffer.concat(out).toString();
      resolve({ ok: problem === null, code, stdout, stderr: Buffer.concat(err).toString(), problem });
    };
    child.on('error', (error) => end(null, `${program} could not be started: ${error.message}`));
    child.on('close', (code, signal) => {
      if (late) end(code, `${program} did not end within ${timeoutMs / 1000} s`);
      else end(code, code === 0 ? null : `${program} ended with ${signal ?? code}`);
    });
  });
}

/**
 * The same for a program that has to succeed.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {RunOptions & { show?: boolean }} options
 * @returns {Promise<Ran>}
 */
export async function must(program, args, options = {}) {
  const ran = await run(program, args, options);
  if (ran.problem === null) return ran;
  const said = `${ran.stderr}\n${ran.stdout}`.trim().split('\n').slice(-12).join('\n');
  throw new Stop(said === '' ? ran.problem : `${ran.problem}\n${said}`);
}
