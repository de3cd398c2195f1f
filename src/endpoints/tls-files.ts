import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from '../contract/stages.ts';

/** TLS of one listener: PEM files. With `clientCaFile` every client must show a certificate of that authority. */
export type TlsFiles = { readonly certFile: string; readonly keyFile: string; readonly clientCaFile: string | null };

type TlsTexts = { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer };

/** What changes the certificate of an open server for the connections to come: `tls.Server`. */
export type TlsServer = { setSecureContext(options: TlsTexts): void };

export type FollowOptions = {
  /** For log lines. */
  readonly listener: string;
  readonly logger: Logger;
  /** Pause between two looks at the files. */
  readonly lookMs?: number;
};

const LOOK_MS = 10_000;

/** Options of a TLS server by its files; throws what reading them throws. */
export function readTls(files: TlsFiles) {
  const own = { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
  if (files.clientCaFile === null) return own;
  return { ...own, ca: readFileSync(files.clientCaFile), requestCert: true, rejectUnauthorized: true };
}

/**
 * Looks at the files again and again, and gives the server what they hold once it has changed and goes together; until then the server keeps
 * what it has. Each content that does not is told once, as `tls_reload_failed`. `read` is what the server was opened with. Gives what ends it.
 */
export function followTls(
  server: TlsServer,
  files: TlsFiles,
  read: TlsTexts,
  { listener, logger, lookMs = LOOK_MS }: FollowOptions,
): () => void {
  let known = textOf(read);
  let told = '';
  let looking = false;

  async function look(): Promise<void> {
    const [cert, key, ca] = await Promise.all([
      readFile(files.certFile),
      readFile(files.keyFile),
      files.clientCaFile === null ? undefined : readFile(files.clientCaFile),
    ]);
    const found = ca === undefined ? { cert, key } : { cert, key, ca };
    const text = textOf(found);
    if (text === known) return;
    // a key that is not the certificate's throws here, and the server has not been touched
    createSecureContext(found);
    // its keys for session tickets are new too: no session of before is resumed without being verified anew
    server.setSecureContext(found);
    known = text;
    told = '';
    logger.info('tls_reloaded', { listener });
  }

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch((cause: unknown) => {
        const why = String(cause);
        if (why !== told) logger.warn('tls_reload_failed', { listener, cause });
        told = why;
      })
      .finally(() => {
        looking = false;
      });
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}

function textOf({ cert, key, ca }: TlsTexts): string {
  return [cert, key, ca ?? Buffer.alloc(0)].map((part) => part.toString('base64')).join(' ');
}
