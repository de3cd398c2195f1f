import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { asCountersignError, type CountersignError } from '../contract/errors.ts';
import type { ActivePolicy, Clock, Logger, Policies } from '../contract/stages.ts';
import type { PolicyStatus } from '../contract/status.ts';
import { buildBundle } from './bundle-build.ts';
import { createChoosePolicy } from './choose-policy.ts';
import { type LoadedRevision, loadRevision } from './load-revision.ts';
import type { DecideOptions, PolicyOptions } from './options.ts';
import { failedDecision } from './output.ts';

/** The policies of this process, with their loading. */
export interface PolicySet extends Policies {
  /** Reads (or compiles) every configured bundle. Never rejects: a policy that fails keeps what it had, `status()` and the log say why. */
  load(): Promise<void>;
  /**
   * Checks a bundle and makes it the active revision of a policy; requests in flight keep theirs.
   * @throws CountersignError `bundle_*`, or policy_unknown: the active revision stays
   */
  activate(name: string, bundle: Uint8Array): Promise<ActivePolicy>;
  /** One entry a configured policy, in the order of the config. */
  status(): readonly PolicyStatus[];
}

type Slot = {
  readonly name: string;
  readonly options: PolicyOptions;
  revision: LoadedRevision | null;
  activatedAt: number | null;
  lastError: PolicyStatus['lastError'];
};

const NO_POLICY = { name: '', revision: '' };

/** The decide stage: nothing is loaded before `load`, and until then every request is a deny `policy_not_loaded`. */
export function createPolicies(options: DecideOptions, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }): PolicySet {
  const slots = new Map<string, Slot>();
  for (const [name, policy] of Object.entries(options.policies)) {
    slots.set(name, { name, options: policy, revision: null, activatedAt: null, lastError: null });
  }
  const choose = createChoosePolicy(options.policyByHost);
  // a name that nobody configured would be a label without bounds
  const knownName = (name: string | null): string => (name !== null && slots.has(name) ? name : '');
  const seconds = (): number => Math.floor(clock.now() / 1000);

  /** `source` is the file that the bundle came from, if it came from one (USER-ASKS 55). */
  const fail = (slot: Slot, error: CountersignError, source: string | null): void => {
    const text = source === null ? error.message : `${source}: ${error.message}`;
    slot.lastError = { code: error.code, text, at: seconds() };
    const state = slot.revision === null ? 'not_loaded' : 'active';
    logger.error('policy_load_failed', { policy: slot.name, code: error.code, text, state });
  };

  const replace = async (slot: Slot, packed: Uint8Array): Promise<ActivePolicy> => {
    const loaded = await loadRevision(slot.name, packed, slot.options, options, clock);
    slot.revision = loaded;
    slot.activatedAt = seconds();
    slot.lastError = null;
    const { revision } = loaded.policy;
    logger.info('policy_activated', { policy: slot.name, revision, rules: loaded.rules, routes: loaded.routes });
    return loaded.policy;
  };

  return {
    select(request) {
      const name = choose(request);
      const slot = name === null ? undefined : slots.get(name);
      if (name === null || slot === undefined) return { refused: 'policy_unknown' };
      if (!request.pep.policies.includes(name)) return { refused: 'policy_not_allowed' };
      return slot.revision === null ? { refused: 'policy_not_loaded' } : slot.revision.policy;
    },
    failed(request, code, policy) {
      const named = policy ?? { ...NO_POLICY, name: knownName(choose(request)) };
      return failedDecision(request, code, { name: named.name, revision: named.revision }, null);
    },
    async load() {
      for (const slot of slots.values()) {
        try {
          await replace(slot, await readPolicy(slot.options));
        } catch (error) {
          fail(slot, asCountersignError(error, 'bundle_unreadable'), basename(slot.options.bundle));
        }
      }
    },
    async activate(name, bundle) {
      const slot = slots.get(name);
      if (slot === undefined) throw asCountersignError(new RangeError(name), 'policy_unknown');
      try {
        return await replace(slot, bundle);
      } catch (error) {
        const failure = asCountersignError(error, 'bundle_unreadable');
        fail(slot, failure, null);
        throw failure;
      }
    },
    status: () => [...slots.values()].map(statusOf),
  };
}

async function readPolicy({ bundle, opaBin, entrypoint, contract }: PolicyOptions): Promise<Uint8Array> {
  const found = await stat(bundle);
  return found.isDirectory()
    ? buildBundle({ opaBin: opaBin ?? 'opa', directory: bundle, entrypoint, foreign: contract === 'envoy' })
    : readFile(bundle);
}

function statusOf({ name, revision, activatedAt, lastError }: Slot): PolicyStatus {
  return {
    name,
    state: revision === null ? 'not_loaded' : 'active',
    revision: revision?.policy.revision ?? null,
    activatedAt,
    rules: revision?.rules ?? 0,
    routes: revision?.routes ?? 0,
    limits: revision?.limits ?? [],
    lastError,
  };
}
