import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Decision } from '../../../src/contract/decision.ts';
import type { Identity } from '../../../src/contract/identity.ts';
import type { JsonObject } from '../../../src/contract/json.ts';
import type { DecisionRecord } from '../../../src/contract/record.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import type { ShadowDiff } from '../../../src/contract/rollout.ts';
import type { Clock, Enricher, Monitor, Observer } from '../../../src/contract/stages.ts';
import { buildBundle } from '../../../src/decide/bundle-build.ts';
import type { KeptPolicy } from '../../../src/decide/kept-policy.ts';
import type { SigningOptions } from '../../../src/decide/options.ts';
import { createPolicies, type PolicySet } from '../../../src/decide/policies.ts';
import type { Prepare } from '../../../src/decide/prepare/prepare-revision.ts';
import type { PushedData } from '../../../src/decide/pushed/pushed-data.ts';
import type { CandidateOptions } from '../../../src/decide/rollout/candidate.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import type { BundleSource } from '../../../src/decide/source/source.ts';
import { createPdp } from '../../../src/pdp.ts';
import { readDocumentFile } from '../../../src/stores/read-file.ts';
import { http } from '../../record/records.ts';
import { CLOCK, decideOptions, OPA_BIN, policyOptions, SILENT } from '../fixtures.ts';

export const KEY = '000102030405060708090a0b0c0d0e0f';
const ENTRYPOINT = 'a/decision';

/** A policy that decides itself, by one rule `decision` in the package `a`. */
export async function bundleOf(revision: string, rego: string, routes: JsonObject = {}): Promise<Uint8Array> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-rollout-'));
  try {
    writeFileSync(join(directory, 'a.rego'), `package a\n\n${rego}\n`);
    writeFileSync(join(directory, 'data.json'), JSON.stringify({ countersign: { routes } }));
    writeFileSync(join(directory, '.manifest'), JSON.stringify({ revision }));
    return await buildBundle({ opaBin: OPA_BIN, directory, entrypoint: ENTRYPOINT, foreign: true });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A source of a bundle that can be replaced. */
export function sourceOf(first: Uint8Array | null) {
  let packed = first;
  let version = 1;
  const source: BundleSource = {
    name: 'memory',
    firstWaitMs: 5000,
    async read(known) {
      if (packed === null) throw new Error('away');
      return known === String(version) ? null : { packed, version: String(version) };
    },
    delayMs: () => 5,
  };
  return {
    source,
    publish(next: Uint8Array) {
      packed = next;
      version += 1;
    },
  };
}

export type RolloutWorld = {
  readonly set: PolicySet;
  readonly records: DecisionRecord[];
  readonly diffs: ShadowDiff[];
  /** Runs what was put off. */
  later(): void;
  ask(
    path: string,
    more?: {
      readonly client?: string | null;
      readonly asserted?: boolean;
      readonly ip?: string;
      readonly request?: Partial<DecisionRequest>;
    },
  ): Promise<Decision>;
  stop(): void;
};

type Given = {
  readonly active: Uint8Array;
  readonly candidate: Uint8Array | BundleSource;
  readonly shadow?: Partial<CandidateOptions['shadow']>;
  readonly canary?: Partial<CandidateOptions['canary']>;
  readonly clock?: Clock;
  readonly monitor?: Monitor;
  readonly kept?: KeptPolicy;
  readonly random?: () => number;
  /** Left out: nothing is known beside who asks. */
  readonly enricher?: Enricher & Observer;
  readonly signing?: SigningOptions;
  readonly openPushed?: (policy: string) => PushedData;
  readonly prepare?: Prepare;
};

/** The whole path over a policy with a candidate; who asks is given. */
export async function createRollout(given: Given): Promise<RolloutWorld> {
  const { clock = CLOCK } = given;
  const shadow = { share: 0, budgetMs: 1000, queueMax: 256, diffsPerSecond: 100, ...given.shadow };
  const canary = { percent: 0, keyFile: null, secret: KEY, ...given.canary };
  const policy = policyOptions({
    contract: 'decision',
    entrypoint: ENTRYPOINT,
    signing: given.signing ?? null,
    monitor: { routes: 'allowed', critical: 'enforced' },
    candidate: { bundle: 'candidate', shadow, canary },
  });
  const put: (() => void)[] = [];
  const diffs: ShadowDiff[] = [];
  const { kept, openPushed, prepare } = given;
  const candidate = given.candidate instanceof Uint8Array ? sourceOf(given.candidate).source : given.candidate;
  const set = createPolicies(decideOptions({ policies: { default: policy } }), {
    clock,
    logger: SILENT,
    readFile: readDocumentFile,
    openSource: () => sourceOf(given.active).source,
    ...(kept === undefined ? {} : { openKept: () => kept }),
    ...(openPushed === undefined ? {} : { openPushed }),
    ...(prepare === undefined ? {} : { prepare, retryMs: 5 }),
    rollout: {
      accountOf: ({ source }) => source.ip,
      random: given.random ?? (() => 0),
      later: (work) => void put.push(work),
      onDiff: (diff) => void diffs.push(diff),
      openCandidate: () => candidate,
    },
  });
  await set.load();
  const records: DecisionRecord[] = [];
  let identity: Identity = SMOKE_FACTS.identity;
  const pdp = createPdp({
    policies: set,
    identifier: { identify: () => identity },
    enricher: given.enricher ?? { enrich: () => SMOKE_FACTS.enrichment, enrichFurther: (_request, _identity, _route, before) => before },
    sources: { introspection: (_request, facts) => facts },
    recorder: {
      record(record) {
        records.push(record);
        set.canary?.observe(record);
        given.enricher?.observe(record);
        set.shadow?.observe(record);
      },
    },
    clock,
    ...(given.monitor === undefined ? {} : { monitor: given.monitor }),
  });
  return {
    set,
    records,
    diffs,
    later: () => {
      for (let work = put.shift(); work !== undefined; work = put.shift()) work();
    },
    ask: async (path, { client = null, asserted = false, ip, request } = {}) => {
      identity = { ...SMOKE_FACTS.identity, subject: { ...SMOKE_FACTS.identity.subject, id: client, client, asserted } };
      return pdp.decide({
        ...SMOKE_FACTS.request,
        http: { ...http, path, pathRaw: path, segments: path.slice(1).split('/') },
        source: { ip: ip ?? null, port: null, forwardedFor: [] },
        deadlineAtMs: Number.MAX_SAFE_INTEGER,
        ...request,
      });
    },
    stop: () => set.stop(),
  };
}
