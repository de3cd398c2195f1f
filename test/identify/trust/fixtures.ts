import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CertificateOffer } from '../../../src/contract/request.ts';
import type { CertificateValue } from '../../../src/contract/signals.ts';
import { createCertificateReader } from '../../../src/identify/certificate-offers.ts';
import { type CertificateTrust, createCertificateTrust } from '../../../src/identify/trust/certificate-trust.ts';
import type { CertificateTrustOptions } from '../../../src/identify/trust/options.ts';
import { createBoundedCache } from '../../../src/stores/bounded-cache.ts';
import { createParts, createTestClock, type TestClock } from '../fixtures.ts';

export const DAY = 86_400;
/** Certificates are made as of the machine's clock, so the tests' clock begins there. */
export const NOW = Math.floor(Date.now() / 1000);

export type TrustBench = {
  readonly trust: CertificateTrust;
  readonly clock: TestClock;
  readonly directory: string;
  /** The signal's code, or `present` with how the chain is and what the lists say. */
  judge(...offers: CertificateOffer[]): string;
  value(...offers: CertificateOffer[]): CertificateValue;
  /** Puts a file in place in one step. */
  write(name: string, content: string | Buffer): string;
};

export const NOTHING: CertificateTrustOptions = {
  trustBundles: [],
  crl: { required: false, sources: [] },
  denied: { sha256: [], serials: [], file: null },
};

export const pem = (...texts: string[]): CertificateOffer => ({ form: 'pem', from: 'decide', pem: texts.join('') });

/** The real trust over files of a folder of its own; not started. */
export function createTrustBench(
  options: (bench: Pick<TrustBench, 'write' | 'directory'>) => Partial<CertificateTrustOptions>,
): TrustBench {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-trust-'));
  const write = (name: string, content: string | Buffer): string => {
    const path = join(directory, name);
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
    return path;
  };
  const clock = createTestClock();
  clock.wallSeconds = NOW;
  const trust = createCertificateTrust({ ...NOTHING, ...options({ write, directory }) }, createParts(clock));
  const reader = createCertificateReader({ entriesMax: 100 }, createBoundedCache);
  const signalOf = (offers: CertificateOffer[]) => trust.judge(reader.read(offers), clock.wallSeconds);
  onTestFinished(() => {
    trust.stop();
    rmSync(directory, { recursive: true });
  });
  return {
    trust,
    clock,
    directory,
    write,
    judge(...offers) {
      const signal = signalOf(offers);
      return signal.status === 'present' ? `present ${signal.value.chain} ${signal.value.revocation}` : `${signal.status} ${signal.code}`;
    },
    value(...offers) {
      const signal = signalOf(offers);
      if (signal.status !== 'present') throw new Error(`the certificate is ${signal.code}`);
      return signal.value;
    },
  };
}

/** A started bench over one bundle. */
export async function benchOver(
  bundle: string,
  trustDomain: string | null,
  more: Partial<CertificateTrustOptions> = {},
): Promise<TrustBench> {
  const bench = createTrustBench(({ write }) => ({
    trustBundles: [{ name: 'ours', file: write('ca.pem', bundle), trustDomain }],
    ...more,
  }));
  await bench.trust.start();
  return bench;
}
