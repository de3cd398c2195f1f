import type { Clock, Logger } from '../../contract/stages.ts';
import type { TrustBundleStatus } from '../../contract/status.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import type { Certificate } from '../certificate.ts';
import { BUNDLE_BYTES_MAX, parseTrustBundle } from './bundle.ts';
import type { TrustBundleOptions } from './options.ts';
import { createPolledDocument } from './polled-document.ts';

const EVERY_MS = 1000;

/** One bundle; without anchors until it was loaded. */
export type TrustBundle = { readonly name: string; readonly trustDomain: string | null; anchors: readonly Certificate[] | null };

/** The configured bundles, read again as their files change. */
export interface TrustBundles {
  /** Bundles that vouch for a trust domain, or, for null, for certificates without a SPIFFE id; empty where there is none. */
  of(trustDomain: string | null): readonly TrustBundle[];
  /** Every anchor of every bundle. */
  anchors(): readonly Certificate[];
  /** Changes whenever an anchor does. */
  readonly generation: number;
  start(): Promise<void>;
  stop(): void;
  status(): readonly TrustBundleStatus[];
}

export type TrustBundleParts = { readonly clock: Clock; readonly logger: Logger; readonly readFile: ReadDocumentFile };

/** Nothing is read before `start`; `onChange` is called after each change of an anchor. */
export function createTrustBundles(
  options: readonly TrustBundleOptions[],
  { clock, logger, readFile }: TrustBundleParts,
  onChange: () => void,
): TrustBundles {
  let generation = 0;
  const none: readonly TrustBundle[] = [];
  const byDomain = new Map<string | null, TrustBundle[]>();
  const all = options.map(({ name, file, trustDomain }) => {
    const bundle: TrustBundle = { name, trustDomain, anchors: null };
    byDomain.set(trustDomain, [...(byDomain.get(trustDomain) ?? []), bundle]);
    const document = createPolledDocument({
      kind: 'trust_bundle',
      name,
      everyMs: EVERY_MS,
      load: () => readFile(file, BUNDLE_BYTES_MAX),
      accept(bytes) {
        bundle.anchors = parseTrustBundle(bytes);
        generation++;
        onChange();
      },
      clock,
      logger,
    });
    return { bundle, document };
  });

  return {
    of: (trustDomain) => byDomain.get(trustDomain) ?? none,
    anchors: () => all.flatMap(({ bundle }) => bundle.anchors ?? []),
    get generation() {
      return generation;
    },
    async start() {
      await Promise.all(all.map(({ document }) => document.start()));
    },
    stop() {
      for (const { document } of all) document.stop();
    },
    status: () =>
      all.map(({ bundle, document }) => ({
        name: bundle.name,
        trustDomain: bundle.trustDomain,
        state: bundle.anchors === null ? 'never_loaded' : document.lastError() === null ? 'ready' : 'stale',
        ageSeconds: document.ageSeconds(),
        certificates: bundle.anchors?.length ?? 0,
        lastError: document.lastError()?.code ?? null,
      })),
  };
}
