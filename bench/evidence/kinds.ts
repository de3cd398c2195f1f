import { bindingKinds } from './bindings.ts';
import { callerKinds } from './callers.ts';
import { certificateKinds } from './certificates.ts';
import type { EvidenceKind } from './kind.ts';
import { tokenKinds } from './tokens.ts';

/** Every kind of evidence that is measured, in the order of the report. A further one is a file beside this one and a line here. */
export const EVIDENCE_KINDS: readonly EvidenceKind[] = [...tokenKinds, ...certificateKinds, ...bindingKinds, ...callerKinds];
