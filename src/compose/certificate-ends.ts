import { X509Certificate } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { CertificateEnd } from '../contract/certificate-ends.ts';
import type { Clock } from '../contract/stages.ts';
import { certificateFiles } from '../doctor/certificate-files.ts';
import { BUNDLE_BYTES_MAX, parseTrustBundle } from '../identify/trust/bundle.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';

/** Looks at the files of certificates again and again, for the metric that says when they end. */
export type CertificateEnds = {
  /** Resolves when they were looked at once. */
  start(): Promise<void>;
  stop(): void;
  /** Nothing where the configuration names no such file. */
  status(): { readonly certificateEnds?: readonly CertificateEnd[] };
};

const EVERY_MS = 60_000;
const NOT_KNOWN = { endsAt: null, lifetimeSeconds: null };
const PEM = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g;

type Held = { readonly endsAt: number; readonly lifetimeSeconds: number };

type Parts = { readonly readFile: ReadDocumentFile; readonly clock: Pick<Clock, 'now'>; readonly everyMs?: number };

/** What a file said last stays where it cannot be read any more: it is what whoever reads it at the start still has. */
export function openCertificateEnds(config: Config, { readFile, clock, everyMs = EVERY_MS }: Parts): CertificateEnds {
  const files = certificateFiles(config, { spiffe: true });
  const known = new Map<string, Held>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function look(): Promise<void> {
    for (const { key, file, bundle } of files) {
      try {
        const end = endOf(await readFile(file, BUNDLE_BYTES_MAX), bundle ? clock.now() / 1000 : null);
        if (end !== null) known.set(key, end);
      } catch {
        // who needs the file says so: a listener, a bundle, the doctor
      }
    }
    if (!stopped) timer = setTimeout(look, everyMs).unref();
  }

  return {
    start: () => (files.length === 0 ? Promise.resolve() : look()),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    status: () => (files.length === 0 ? {} : { certificateEnds: files.map(({ key }) => ({ key, ...(known.get(key) ?? NOT_KNOWN) })) }),
  };
}

/** @param now unix seconds where one of several is enough, else null; gives null where there is no certificate */
function endOf(bytes: Buffer, now: number | null): Held | null {
  const text = bytes.toString('utf8');
  const all = text.trimStart().startsWith('{') ? parseTrustBundle(bytes).map(heldOf) : (text.match(PEM) ?? []).map(readPem);
  const byEnd = all.toSorted((a, b) => a.endsAt - b.endsAt);
  return (now === null ? byEnd[0] : byEnd.find(({ endsAt }) => endsAt > now)) ?? byEnd.at(-1) ?? null;
}

function readPem(pem: string): Held {
  const { validFrom, validTo } = new X509Certificate(pem);
  return heldOf({ notBefore: Date.parse(validFrom) / 1000, notAfter: Date.parse(validTo) / 1000 });
}

function heldOf({ notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number }): Held {
  return { endsAt: notAfter, lifetimeSeconds: notAfter - notBefore };
}
