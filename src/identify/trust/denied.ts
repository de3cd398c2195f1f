import { CountersignError } from '../../contract/errors.ts';
import type { CertificateValue } from '../../contract/signals.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { DenyListStatus } from '../../contract/status.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import { canonicalSerial, canonicalSha256 } from '../certificate.ts';
import type { CertificateTrustOptions } from './options.ts';
import { createPolledDocument } from './polled-document.ts';

const EVERY_MS = 500;
const BYTES_MAX = 8_388_608;

/** Certificates that are refused by name, whatever else is said of them. */
export interface DeniedCertificates {
  /** Whether this one is, or `unavailable` while the file could never be read. */
  stateOf(certificate: Pick<CertificateValue, 'sha256' | 'serial'>): 'free' | 'denied' | 'unavailable';
  start(): Promise<void>;
  stop(): void;
  status(): DenyListStatus;
}

type Entries = { readonly sha256: ReadonlySet<string>; readonly serials: ReadonlySet<string> };

/** The lists of the configuration and of its file, which is read again as it changes; nothing is read before `start`. */
export function createDeniedCertificates(
  options: CertificateTrustOptions['denied'],
  parts: { readonly clock: Clock; readonly logger: Logger; readonly readFile: ReadDocumentFile },
): DeniedCertificates {
  const { file } = options;
  const own = parseDenied([...options.sha256.map((one) => `sha256 ${one}`), ...options.serials.map((one) => `serial ${one}`)]);
  let listed: Entries | null = null;
  const document =
    file === null
      ? null
      : createPolledDocument({
          kind: 'deny_list',
          name: 'certificates',
          everyMs: EVERY_MS,
          load: () => parts.readFile(file, BYTES_MAX),
          accept(bytes) {
            listed = parseDenied(bytes.toString('utf8').split('\n'));
          },
          clock: parts.clock,
          logger: parts.logger,
        });
  const has = (entries: Entries | null, { sha256, serial }: Pick<CertificateValue, 'sha256' | 'serial'>): boolean =>
    entries !== null && ((sha256 !== null && entries.sha256.has(sha256)) || (serial !== null && entries.serials.has(serial)));

  return {
    stateOf(certificate) {
      if (has(own, certificate) || has(listed, certificate)) return 'denied';
      return document !== null && listed === null ? 'unavailable' : 'free';
    },
    async start() {
      await document?.start();
    },
    stop() {
      document?.stop();
    },
    status() {
      const entries = [own, listed].reduce((sum, one) => sum + (one === null ? 0 : one.sha256.size + one.serials.size), 0);
      if (document === null) return { state: 'none', entries };
      return { state: listed === null ? 'never_loaded' : document.lastError() === null ? 'ready' : 'stale', entries };
    },
  };
}

/**
 * One entry a line: `sha256 <hex>` or `serial <hex>`, colons and case as they come; `#` begins a comment. All of it is sound or none of it is used.
 * Fails with `deny_list_invalid`.
 */
export function parseDenied(lines: readonly string[]): Entries {
  const sha256 = new Set<string>();
  const serials = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const text = line.replace(/#.*$/, '').trim();
    if (text === '') continue;
    const [, kind = '', value = ''] = /^(sha256|serial)\s+(\S+)$/.exec(text) ?? [];
    const canonical = kind === 'sha256' ? canonicalSha256(value) : kind === 'serial' ? canonicalSerial(value) : null;
    if (canonical === null) throw new CountersignError('deny_list_invalid', { detail: `line ${index + 1}` });
    (kind === 'sha256' ? sha256 : serials).add(canonical);
  }
  return { sha256, serials };
}
