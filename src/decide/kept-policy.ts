import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CountersignError } from '../contract/errors.ts';
import type { StateFolder } from '../stores/state-folder.ts';
import { BUNDLE_LIMITS } from './bundle.ts';
import type { KeptRevision } from './revision-history.ts';

/** How the active revision became so. */
export type PolicyOrigin = 'source' | 'activated' | 'rolled_back';

/** What of one policy outlives the process. */
export type KeptState = {
  readonly origin: PolicyOrigin;
  /** SHA-256 of the bundle that the source last had and that was good; null where there was none. */
  readonly sourceDigest: string | null;
  /** When the source last said so, unix seconds. */
  readonly confirmedAt: number;
  /** The newest first: the first one was active. */
  readonly revisions: readonly KeptRevision[];
};

/** One policy's part of the state folder. */
export interface KeptPolicy {
  /**
   * What was kept; null where nothing was. A bundle is as it was written, or it is not given; whether it may be used is for others to say.
   * @throws CountersignError state_invalid, the field is the file
   */
  load(): Promise<KeptState | null>;
  /** @throws CountersignError state_invalid */
  save(state: KeptState): Promise<void>;
}

const INDEX = 'policy.json';
const INDEX_BYTES_MAX = 65_536;

const Index = z.strictObject({
  version: z.literal(1),
  origin: z.enum(['source', 'activated', 'rolled_back']),
  source_digest: z.string().nullable(),
  confirmed_at: z.int(),
  revisions: z
    .array(
      z.strictObject({
        revision: z.string(),
        digest: z.string().regex(/^[0-9a-f]{64}$/),
        activated_at: z.int(),
        sequence: z.int().nullable(),
      }),
    )
    .min(1)
    .max(5),
});
type Index = z.infer<typeof Index>;

const fileOf = (digest: string): string => `${digest}.tar.gz`;

/** Bundles lie under the hash of their content, and one index names them: what the index names was written before it. */
export function createKeptPolicy(folder: StateFolder): KeptPolicy {
  const written = new Set<string>();

  const bundleOf = async (digest: string): Promise<Buffer> => {
    const packed = await folder.read(fileOf(digest), BUNDLE_LIMITS.packedBytesMax);
    if (packed === null) throw new CountersignError('state_invalid', { field: fileOf(digest), detail: 'missing' });
    if (createHash('sha256').update(packed).digest('hex') !== digest)
      throw new CountersignError('state_invalid', { field: fileOf(digest), detail: 'damaged' });
    return packed;
  };

  return {
    async load() {
      const text = await folder.read(INDEX, INDEX_BYTES_MAX);
      if (text === null) return null;
      const index = parseIndex(text);
      const revisions: KeptRevision[] = [];
      for (const [at, { revision, digest, activated_at, sequence }] of index.revisions.entries()) {
        try {
          revisions.push({ revision, digest, activatedAt: activated_at, sequence, packed: await bundleOf(digest) });
          written.add(digest);
        } catch (thrown) {
          // an older one is only one that cannot be gone back to
          if (at === 0) throw thrown;
        }
      }
      return { origin: index.origin, sourceDigest: index.source_digest, confirmedAt: index.confirmed_at, revisions };
    },
    async save({ origin, sourceDigest, confirmedAt, revisions }) {
      for (const { digest, packed } of revisions) {
        if (written.has(digest)) continue;
        await folder.write(fileOf(digest), packed);
        written.add(digest);
      }
      const index: Index = {
        version: 1,
        origin,
        source_digest: sourceDigest,
        confirmed_at: confirmedAt,
        revisions: revisions.map((one) => ({
          revision: one.revision,
          digest: one.digest,
          activated_at: one.activatedAt,
          sequence: one.sequence,
        })),
      };
      await folder.write(INDEX, Buffer.from(`${JSON.stringify(index)}\n`));
      const kept = new Set([INDEX, ...revisions.map(({ digest }) => fileOf(digest))]);
      for (const digest of written) if (!kept.has(fileOf(digest))) written.delete(digest);
      await folder.keepOnly(kept);
    },
  };
}

function parseIndex(text: Buffer): Index {
  try {
    return Index.parse(JSON.parse(text.toString('utf8')));
  } catch (cause) {
    throw new CountersignError('state_invalid', { field: INDEX, cause });
  }
}
