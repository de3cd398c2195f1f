import { CountersignError } from '../../contract/errors.ts';
import type { FetchBundle } from '../../stores/bundle-fetch.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import type { ServerOptions } from '../options.ts';
import type { BundleSource } from './source.ts';

const FIRST_WAIT_MS = 2000;
const FAILED_MS = 500;
const TOKEN_BYTES_MAX = 16_384;
const PEM_BYTES_MAX = 1 << 20;
/** A server that says it waits and answers sooner than this does not wait. */
const WAITED_MS_MIN = 1000;

export type ServerParts = {
  readonly fetchBundle: FetchBundle;
  readonly readFile: ReadDocumentFile;
  /** 0 to 1. */
  readonly random: () => number;
  readonly monotonic: () => number;
};

/**
 * A bundle server in OPA's protocol: `ETag` and `If-None-Match`, and `Prefer: wait` where the server says by its content type that it
 * lets a request wait for a change. Credentials are files and read anew each time.
 */
export function createServerSource(url: string, options: ServerOptions, parts: ServerParts): BundleSource {
  const { polling, credentials, tls } = options;
  const { random } = parts;
  let waits = polling.waitMs > 0;
  let waited = false;

  const text = async (path: string | null, bytesMax: number): Promise<string | null> => {
    if (path === null) return null;
    try {
      return (await parts.readFile(path, bytesMax)).toString('utf8');
    } catch (cause) {
      throw new CountersignError('fetch_failed', { detail: 'a file of the credentials could not be read', cause });
    }
  };

  return {
    name: url.replace(/[?#].*$/s, ''),
    firstWaitMs: FIRST_WAIT_MS,
    async read(known, signal) {
      const [token, ca, cert, key] = await Promise.all([
        text(credentials.tokenFile, TOKEN_BYTES_MAX),
        text(tls.caFile, PEM_BYTES_MAX),
        text(tls.certFile, PEM_BYTES_MAX),
        text(tls.keyFile, PEM_BYTES_MAX),
      ]);
      // the first question is answered at once by a server that keeps to the protocol
      const waitMs = waits && known !== null ? polling.waitMs : null;
      const from = parts.monotonic();
      const answer = await parts.fetchBundle(url, {
        etag: known === '' ? null : known,
        waitMs,
        timeoutMs: polling.timeoutMs + (waitMs ?? 0),
        bytesMax: polling.bytesMax,
        allowInsecureHttp: options.allowInsecureHttp,
        token: token?.trim() ?? null,
        tls: { ca, cert, key },
        signal,
      });
      if (answer.waits !== null) waits = answer.waits && polling.waitMs > 0;
      waited = waits && (answer.found !== null || parts.monotonic() - from > WAITED_MS_MIN);
      // a server without ETags is asked for the whole each time, and an equal bundle is not activated twice
      return answer.found === null ? null : { packed: answer.found.bytes, version: answer.found.etag ?? '' };
    },
    delayMs(failures) {
      if (failures > 0) return Math.min(polling.maxMs, FAILED_MS * 2 ** Math.min(failures, 16)) * (0.5 + random() / 2);
      // a moment of chance, so that all replicas do not ask at once for what was just published
      return waited ? Math.min(polling.minMs, FAILED_MS) * random() : polling.minMs + (polling.maxMs - polling.minMs) * random();
    },
  };
}
