import { join } from 'node:path';
import { entrypointOf, isServer } from '../config/policy.ts';
import type { Config } from '../config/schema.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { createKeptPolicy } from '../decide/kept-policy.ts';
import { createRetriedPolicy } from '../decide/kept-retry.ts';
import { createPolicies, type PolicySet } from '../decide/policies.ts';
import { createPrepareThread } from '../decide/prepare/prepare-thread.ts';
import type { RolloutParts } from '../decide/rollout/candidate.ts';
import { createLocalSource } from '../decide/source/local-sources.ts';
import { createServerSource } from '../decide/source/server-source.ts';
import type { BundleSource } from '../decide/source/source.ts';
import { fetchBundle } from '../stores/bundle-fetch.ts';
import { readChangedFile } from '../stores/changed-file.ts';
import { readDocumentFile } from '../stores/read-file.ts';
import { createStateFolder } from '../stores/state-folder.ts';
import { openDataThread, openPushedData } from './pushed-data.ts';

type PoliciesParts = { readonly clock: Clock; readonly logger: Logger; readonly rollout: Pick<RolloutParts, 'accountOf' | 'onDiff'> };

/** This module is TypeScript when it is run from source, and so is its neighbour. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './prepare-worker.ts' : './prepare-worker.js', import.meta.url);
const PREPARE = { worker: WORKER, timeoutMs: 60_000, heapMbMax: 2048, idleMs: 10_000 };

/** The configured policies, not yet loaded, and their names. `apiKeys`: whether a challenge may offer them. */
export function openPolicies(config: Config, apiKeys: boolean, parts: PoliciesParts): PolicySet & { readonly names: readonly string[] } {
  const { clock } = parts;
  const configured = Object.entries({ default: config.policy, ...config.policies });
  const policies = new Map(configured.map(([name, one]) => [name, { ...one, entrypoint: entrypointOf(one), monitor: config.monitor }]));
  const { policyByHost } = config;
  const challenge = { ...config.challenge, dpopAlgorithms: config.identity.dpop.algorithms, apiKeys };
  const thread = createPrepareThread(PREPARE);
  const data = openDataThread();
  const { directory } = config.state;
  const keptIn = (folder: string, policy: string) => {
    if (directory === null) return null;
    const later = (work: () => void, pauseMs: number) => void setTimeout(work, pauseMs).unref();
    return createRetriedPolicy(createKeptPolicy(createStateFolder(join(directory, folder, policy))), {
      policy,
      logger: parts.logger,
      later,
    });
  };
  const sourceOf = (name: string, of: 'policy' | 'candidate'): BundleSource => {
    const policy = policies.get(name) ?? { ...config.policy, entrypoint: entrypointOf(config.policy) };
    const bundle = of === 'candidate' && policy.candidate !== null ? policy.candidate.bundle : policy.bundle;
    if (!isServer(bundle)) return createLocalSource({ ...policy, bundle }, { readFile: readChangedFile });
    const monotonic = (): number => clock.monotonic();
    return createServerSource(bundle, policy, { fetchBundle, readFile: readDocumentFile, random: Math.random, monotonic });
  };
  const set = createPolicies(
    { policies: Object.fromEntries(policies), policyByHost, input: config.input, upstream: config.upstream, challenge },
    {
      ...parts,
      prepare: thread.prepare,
      readFile: readDocumentFile,
      openPushed: (name) => openPushedData(name, config, { ...parts, run: data.run }),
      openKept: (name) => keptIn('policies', name),
      openSource: (name) => sourceOf(name, 'policy'),
      rollout: {
        ...parts.rollout,
        random: Math.random,
        later: (work) => void setImmediate(work),
        openCandidate: (name) => sourceOf(name, 'candidate'),
        openKeptCandidate: (name) => keptIn('candidates', name),
      },
    },
  );
  return {
    ...set,
    names: [...policies.keys()],
    stop() {
      set.stop();
      thread.stop();
      data.stop();
    },
  };
}
