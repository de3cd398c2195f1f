import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CountersignError } from '../contract/errors.ts';
import type { ActivePolicy, Clock, Logger, Policies } from '../contract/stages.ts';
import type { PolicyStatus } from '../contract/status.ts';
import { buildBundle } from './bundle-build.ts';
import type { DecideOptions, PolicyOptions } from './options.ts';
import { failedDecision } from './output.ts';
import { createPolicySlot, type PolicyRevision, type PolicySlot } from './policy-slot.ts';

/** The policies of this process, with their loading. */
export interface PolicySet extends Policies {
  /** Reads (or compiles) every configured bundle. Never rejects: a policy that fails keeps what it had, `status()` and the log say why. */
  load(): Promise<void>;
  /**
   * Checks a bundle and makes it the active revision of a policy; requests in flight keep theirs.
   * @throws CountersignError `bundle_*`, or policy_unknown: the active revision stays
   */
  activate(name: string, bundle: Uint8Array): Promise<ActivePolicy>;
  /**
   * Makes one of the last five revisions the active one again; null is the one that was active before.
   * @throws CountersignError policy_unknown, revision_unknown: the active revision stays
   */
  rollback(name: string, revision: string | null): Promise<ActivePolicy>;
  /**
   * The revisions that `rollback` can name, the newest first.
   * @throws CountersignError policy_unknown
   */
  revisions(name: string): readonly PolicyRevision[];
  /** One entry a configured policy, in the order of the config. */
  status(): readonly PolicyStatus[];
}

const DEFAULT = 'default';
const NO_POLICY = { name: '', revision: '' };

/** The decide stage: nothing is loaded before `load`, and until then every request is a deny `policy_not_loaded`. */
export function createPolicies(options: DecideOptions, parts: { readonly clock: Clock; readonly logger: Logger }): PolicySet {
  const slots = new Map<string, PolicySlot>();
  for (const [name, policy] of Object.entries(options.policies)) slots.set(name, createPolicySlot(name, policy, options, parts));

  const slotOf = (name: string): PolicySlot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new CountersignError('policy_unknown');
    return slot;
  };

  return {
    select(request) {
      const name = request.policyName ?? ownPolicy(request.pep.policies);
      if (!request.pep.policies.includes(name)) return { refused: 'policy_not_allowed' };
      const slot = slots.get(name);
      if (slot === undefined) return { refused: 'policy_unknown' };
      return slot.active() ?? { refused: 'policy_not_loaded' };
    },
    failed(request, code, policy) {
      const named = policy === null ? { ...NO_POLICY, name: request.policyName ?? ownPolicy(request.pep.policies) } : policy;
      return failedDecision(request, code, { name: named.name, revision: named.revision }, null);
    },
    async load() {
      for (const slot of slots.values()) await loadSlot(slot);
    },
    activate: async (name, bundle) => slotOf(name).activate(bundle, null),
    rollback: async (name, revision) => slotOf(name).rollback(revision),
    revisions: (name) => slotOf(name).revisions(),
    status: () => [...slots.values()].map((slot) => slot.status()),
  };
}

/** A gateway gets its only policy, else `default`. */
function ownPolicy(policies: readonly string[]): string {
  return policies.length === 1 ? (policies[0] ?? DEFAULT) : DEFAULT;
}

async function loadSlot(slot: PolicySlot): Promise<void> {
  const source = basename(slot.options.bundle);
  let packed: Uint8Array;
  try {
    packed = await readPolicy(slot.options);
  } catch (thrown) {
    slot.fail(thrown, source);
    return;
  }
  // the slot has noted what was wrong
  await slot.activate(packed, source).catch(() => undefined);
}

async function readPolicy({ bundle, opaBin, entrypoint }: PolicyOptions): Promise<Uint8Array> {
  const found = await stat(bundle);
  return found.isDirectory() ? buildBundle({ opaBin: opaBin ?? 'opa', directory: bundle, entrypoint }) : readFile(bundle);
}
