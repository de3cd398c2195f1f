import type { KeptData } from './data-job.ts';

/** The revision that decisions name: of the bundle, and of what was pushed over it. */
export function decisionRevision(bundle: string, kept: KeptData | null): string {
  return kept === null || kept.documents.length === 0 ? bundle : `${bundle}+d${kept.revision}`;
}
