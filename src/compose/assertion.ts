import type { Config } from '../config/schema.ts';
import type { ProofStatus, UpstreamProof } from '../contract/assertion.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { createAssertion } from '../decide/assertion/assertion.ts';
import { loadSigningKeys } from '../decide/assertion/signing-keys.ts';
import { keysDocument, type PublicDocument } from '../endpoints/documents.ts';
import { readChangedFile } from '../stores/changed-file.ts';

/** What upstreams can verify, with the document that they verify it by. */
export type OpenAssertion = {
  /** For the path; empty where nothing is configured. */
  readonly part: { readonly proof?: UpstreamProof };
  readonly documents: readonly PublicDocument[];
  readonly status: () => { readonly assertion?: ProofStatus };
  readonly stop: () => void;
};

const NONE: OpenAssertion = { part: {}, documents: [], status: () => ({}), stop: () => undefined };

/** Fails with `config_invalid` where a key cannot be had. */
export async function openAssertion(
  { assertion: options, publicUrl }: Config,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<OpenAssertion> {
  if (options === null || publicUrl === null) return NONE;
  const keys = await loadSigningKeys(options, { readFile: readChangedFile, clock, logger });
  return {
    part: { proof: createAssertion({ issuer: publicUrl, lifetimeSeconds: options.lifetimeSeconds }, keys, clock) },
    documents: [keysDocument(publicUrl, keys.published)],
    status: () => ({ assertion: { keys: keys.status() } }),
    stop: keys.stop,
  };
}
