import { asCountersignError } from '../../contract/errors.ts';
import type { Logger } from '../../contract/stages.ts';
import type { ReadChangedFile } from '../../stores/changed-file.ts';

/** Which content operators accept though it shrank: by name and SHA-256, so that it is this content and no other that comes meanwhile. */
export interface AcceptedContent {
  has(list: string, sha256: string): boolean;
  /** Reads the file, and looks at it again until `stop`; never rejects. */
  start(): Promise<void>;
  stop(): void;
}

const EVERY_MS = 2000;
const BYTES_MAX = 65_536;
const LINE = /^([a-z0-9][a-z0-9_-]{0,63})[ \t]+([0-9a-f]{64})$/;

/**
 * A line is `<list> <sha256>`, `#` begins a comment; other lines are told in the log and count for nothing. A file that is not there accepts
 * nothing: it is made when it is needed. `onChange` is called after each change.
 */
export function createAcceptedContent(
  path: string | null,
  { readFile, logger }: { readonly readFile: ReadChangedFile; readonly logger: Logger },
  onChange: () => Promise<void>,
): AcceptedContent {
  let accepted: ReadonlySet<string> = new Set();
  let version: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = path === null;
  let failing = false;

  async function look(file: string): Promise<void> {
    try {
      const found = await readFile(file, BYTES_MAX, version);
      failing = false;
      if (found === null) return;
      version = found.version;
      accepted = parseAccepted(found.bytes.toString('latin1'), (line) => logger.warn('list_accept_line_wrong', { line }));
      await onChange();
    } catch (thrown) {
      version = null;
      accepted = new Set();
      if (!failing) logger.debug('list_accept_file_unreadable', { code: asCountersignError(thrown, 'fetch_failed').code });
      failing = true;
    } finally {
      if (!stopped) {
        timer = setTimeout(() => look(file), EVERY_MS);
        timer.unref();
      }
    }
  }

  return {
    has: (list, sha256) => accepted.has(`${list} ${sha256}`),
    start: () => (path === null ? Promise.resolve() : look(path)),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function parseAccepted(text: string, onWrong: (line: number) => void): ReadonlySet<string> {
  const accepted = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const plain = line.replace(/#.*/, '').trim();
    if (plain === '') continue;
    const [, list, sha256] = LINE.exec(plain.toLowerCase()) ?? [];
    if (list === undefined) onWrong(index + 1);
    else accepted.add(`${list} ${sha256}`);
  }
  return accepted;
}
