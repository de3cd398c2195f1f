import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Logger } from '../../src/contract/stages.ts';
import { buildBundle } from '../../src/decide/bundle-build.ts';
import type { DecideOptions, PolicyOptions } from '../../src/decide/options.ts';
import { createPolicies, type PoliciesParts, type PolicySet } from '../../src/decide/policies.ts';
import { createLocalSource } from '../../src/decide/source/local-sources.ts';
import { readChangedFile } from '../../src/stores/changed-file.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';

export const PROJECT_ROOT = join(import.meta.dirname, '..', '..');
export const POLICIES = join(PROJECT_ROOT, 'policies');
const LOCAL_OPA = join(PROJECT_ROOT, '.tools', 'bin', 'opa');
/** OPA_BIN, else the project's own, else `opa` on PATH. */
export const OPA_BIN = process.env['OPA_BIN'] ?? (existsSync(LOCAL_OPA) ? LOCAL_OPA : 'opa');
export const ENTRYPOINT = 'countersign/decision/result';

export const CLOCK: Clock = { now: () => 1_780_308_000_000, monotonic: () => performance.now() };

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export function policyOptions(more: Partial<PolicyOptions> = {}): PolicyOptions {
  return {
    bundle: POLICIES,
    contract: 'rules',
    entrypoint: ENTRYPOINT,
    requiredRules: [],
    requiredData: [],
    worstCaseMs: 10_000,
    ageMax: null,
    signing: null,
    slowMs: 1000,
    memoryPagesMax: 512,
    opaBin: OPA_BIN,
    ...more,
  };
}

export function decideOptions(more: Partial<DecideOptions> = {}): DecideOptions {
  return {
    policies: { default: policyOptions() },
    input: { headers: ['user-agent', 'accept', 'content-type'], claims: 'all' },
    upstream: { headers: true, removeAuthorization: false, removeApiKey: true },
    challenge: { realm: 'countersign', resourceMetadataUrl: null, dpopAlgorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'] },
    ...more,
  };
}

export function createTestPolicies(more: Partial<DecideOptions> = {}, logger: Logger = SILENT): PolicySet {
  return createPolicies(decideOptions(more), { clock: CLOCK, logger, ...localParts(decideOptions(more)) });
}

/** Files and folders as the service reads them. */
export function localParts(options: DecideOptions): Pick<PoliciesParts, 'openSource' | 'readFile'> {
  const openSource = (name: string) => createLocalSource(options.policies[name] ?? policyOptions(), { readFile: readChangedFile });
  return { openSource, readFile: readDocumentFile };
}

let base: Promise<Uint8Array> | null = null;
/** The project's own policies as a bundle, built once a test file. */
export function baseBundle(): Promise<Uint8Array> {
  base ??= buildBundle({ opaBin: OPA_BIN, directory: POLICIES, entrypoint: ENTRYPOINT });
  return base;
}

/** Runs OPA in a directory; its output, or throws with what it said. */
export function opa(parameters: readonly string[], cwd: string = PROJECT_ROOT): string {
  return execFileSync(OPA_BIN, parameters, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 });
}
