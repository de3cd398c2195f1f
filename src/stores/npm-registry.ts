import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 15_000;

/** The registry that npm is configured with on this machine; null where there is no npm or none is set. */
export async function npmRegistry(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry'], { timeout: TIMEOUT_MS, maxBuffer: 65_536 });
    const url = stdout.trim();
    return URL.canParse(url) ? url : null;
  } catch {
    return null;
  }
}
