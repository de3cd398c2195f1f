import { CountersignError } from '../../contract/errors.ts';
import type { CertificateValue } from '../../contract/signals.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { DenyListStatus } from '../../contract/status.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import { type Certificate, canonicalSerial, canonicalSha256 } from '../certificate.ts';
import type { CertificateTrustOptions } from './options.ts';
import { otherSha256Of } from './other-signature.ts';
import { createPolledDocument } from './polled-document.ts';

const EVERY_MS = 500;
const BYTES_MAX = 8_388_608;
const LINES_AT_ONCE = 5000;

/** What is known of a certificate; a null is not known. */
type Known = Pick<CertificateValue, 'sha256' | 'serial'>;

/** Certificates that are refused by name, whatever else is said of them. */
export interface DeniedCertificates {
  /**
   * Whether this one is; `unavailable` while the file could never be read, `unverifiable` where it cannot be told, since certificates are refused
   * by what is not known of this one.
   * @param certificate null where nobody here has seen it.
   */
  stateOf(known: Known, certificate: Certificate | null): 'free' | 'denied' | 'unavailable' | 'unverifiable';
  /** Whether one that vouches for others is; of an anchor the serial does not count, since many have the same. */
  isIssuerDenied(issuer: Certificate, anchor: boolean): boolean;
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
          async accept(bytes) {
            listed = await parseDeniedFile(bytes);
          },
          clock: parts.clock,
          logger: parts.logger,
        });
  const all = (): readonly Entries[] => (listed === null ? [own] : [own, listed]);
  const isDenied = ({ sha256, serial }: Known, certificate: Certificate | null): boolean =>
    all().some(
      (entries) =>
        (sha256 !== null && entries.sha256.has(sha256)) ||
        (serial !== null && entries.serials.has(serial)) ||
        (certificate !== null && entries.sha256.size > 0 && otherSha256Of(certificate).some((other) => entries.sha256.has(other))),
    );

  return {
    stateOf(known, certificate) {
      if (isDenied(known, certificate)) return 'denied';
      if (document !== null && listed === null) return 'unavailable';
      const { sha256, serial } = known;
      const untold = all().some((entries) => (sha256 === null && entries.sha256.size > 0) || (serial === null && entries.serials.size > 0));
      return untold ? 'unverifiable' : 'free';
    },
    isIssuerDenied: (issuer, anchor) => isDenied(anchor ? { sha256: issuer.sha256, serial: null } : issuer, issuer),
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
  const entries = { sha256: new Set<string>(), serials: new Set<string>() };
  for (const [index, line] of lines.entries()) addLine(entries, line, index);
  return entries;
}

/** As `parseDenied`; a file of 8 MiB takes as long as a thousand decisions, so that others get their turn in between. */
export async function parseDeniedFile(bytes: Buffer): Promise<Entries> {
  const entries = { sha256: new Set<string>(), serials: new Set<string>() };
  for (const [index, line] of bytes.toString('utf8').split('\n').entries()) {
    addLine(entries, line, index);
    if (index % LINES_AT_ONCE === LINES_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return entries;
}

function addLine({ sha256, serials }: { readonly sha256: Set<string>; readonly serials: Set<string> }, line: string, index: number): void {
  const [entry = ''] = line.split('#', 1);
  const text = entry.trim();
  if (text === '') return;
  const [, kind = '', value = ''] = /^(sha256|serial)\s+(\S+)$/.exec(text) ?? [];
  const canonical = kind === 'sha256' ? canonicalSha256(value) : kind === 'serial' ? canonicalSerial(value) : null;
  if (canonical === null) throw new CountersignError('deny_list_invalid', { detail: `line ${index + 1}` });
  (kind === 'sha256' ? sha256 : serials).add(canonical);
}
