import { createHash } from 'node:crypto';
import { asCountersignError, CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { ActivePolicy, Clock } from '../../contract/stages.ts';
import { type Bundle, type BundleMetadata, bundleOf, unpack } from '../bundle.ts';
import { checkBundle } from '../bundle-check.ts';
import { checkData, compileDataChecks } from '../data-schema.ts';
import { loadRevision } from '../load-revision.ts';
import { requireLogRules } from '../log-rules.ts';
import { ENFORCED, monitoredRoutes } from '../monitor.ts';
import type { DecideOptions, PolicyOptions } from '../options.ts';
import { isMutable } from '../pushed/roots.ts';
import { withRuleCount } from '../rule-count.ts';
import { type SigningKeys, verifySignatures } from '../signing/signatures.ts';
import { ownData } from '../tenant-data.ts';
import { type Thresholds, thresholdsIn } from '../thresholds.ts';
import { compileWasm, instantiateWasm, type MemoryImage } from '../wasm-policy.ts';
import { type HostData, packHostData } from './host-data.ts';
import { type PushedDocument, placeDocuments } from './pushed-documents.ts';
import { splitData } from './split-data.ts';
import { tryOut } from './trials.ts';

/*
 * Everything about a revision that takes long and needs no part of the running service: it works the same in this thread and in another
 * one (prepare-thread.ts), so all that goes in and comes out can be copied between threads.
 */

const [COMMA, BRACKET, BRACE] = [0x2c, 0x5b, 0x7b];

export type PrepareTask = {
  /** Of the policy, below which its data of `tenants` lies. */
  readonly name: string;
  /** The bundle as it came: a gzip tar. */
  readonly packed: Uint8Array;
  /** Data from elsewhere that takes the place of what the bundle has at its path, one after the other. */
  readonly pushed: readonly PushedDocument[];
  /** Paths of it, as text, that an operator without the role admin changed: the bundle must leave them to operators. */
  readonly operatorPaths?: readonly string[];
  /** The bundle's module where it was compiled before; saves the work, and the new instance is as warm as the old one. */
  readonly module: WebAssembly.Module | null;
  readonly policy: PolicyOptions;
  /** Keys that may sign; null where bundles must not be signed. */
  readonly signing: SigningKeys | null;
  readonly shared: Pick<DecideOptions, 'input' | 'upstream' | 'challenge'>;
};

/**
 * Asks a policy the cases that its bundle brings, by the paths of their files.
 * @throws CountersignError bundle_cases_failed
 */
export type RunBundleCases = (files: ReadonlyMap<string, Uint8Array>, policy: ActivePolicy) => Promise<void>;

/** A revision that passed every check, ready to be put together. */
export type PreparedRevision = {
  /** Of the manifest, else from the hash of the bundle. */
  readonly revision: string;
  readonly sequence: number | null;
  readonly signed: boolean;
  /** SHA-256 of the bundle, lower-case hex. */
  readonly digest: string;
  readonly module: WebAssembly.Module;
  readonly image: MemoryImage;
  /** Of every rule, sorted. */
  readonly codes: readonly string[];
  /** Null where plain `opa build` made the bundle. */
  readonly metadata: Pick<BundleMetadata, 'rules' | 'input'> | null;
  /** The data that the rules read, by its path, as far as it is small. */
  readonly thresholds: Thresholds;
  /** What the host matches by itself, and Rego never sees. */
  readonly host: HostData;
  /** Of the required data, what is not there. */
  readonly missingData: readonly string[];
  /** Ids of the routes that are not enforced. */
  readonly monitored: readonly string[];
  /** Milliseconds on the worst input that the caps allow. */
  readonly worstCaseMs: number;
};

/** Or why the bundle is refused, with its revision where its manifest could be read. */
export type PrepareOutcome =
  | { readonly ok: true; readonly prepared: PreparedRevision }
  | { readonly ok: false; readonly error: CountersignError; readonly revision: string | null };

/** Checks and prepares a bundle; never rejects. */
export type Prepare = (task: PrepareTask) => Promise<PrepareOutcome>;

/**
 * In the thread that calls it, which it blocks for as long as it takes. Without `runCases` the cases of a bundle are not looked at;
 * `worked` gives the milliseconds by which the worst case is judged, of the clock where it is left out.
 */
export function createPrepareHere(clock: Clock, runCases: RunBundleCases | null, worked = (): number => clock.monotonic()): Prepare {
  return async (task) => {
    let revision: string | null = null;
    try {
      const files = await unpack(task.packed);
      boundValues(files, task.pushed);
      const digest = createHash('sha256').update(task.packed).digest('hex');
      // before anything in it is believed
      verifySignatures(files, task.signing);
      const bundle = bundleOf(files);
      revision = bundle.manifest.revision || digest.slice(0, 16);
      const sequence = bundle.manifest.metadata.sequence ?? null;
      const made = await prepareBundle(task, bundle, worked);
      const prepared = { ...made, revision, digest, sequence, signed: task.signing !== null };
      // also finds what is wrong with the routes and the limits, here and not where requests wait
      const { policy } = await loadRevision(task.name, prepared, task.policy, task.shared, clock);
      const cases = new Map([...files].filter(([path]) => CASES.test(path)));
      if (cases.size > 0 && runCases !== null) await runCases(cases, policy);
      return { ok: true, prepared };
    } catch (thrown) {
      return { ok: false, error: asCountersignError(thrown, 'bundle_unreadable'), revision };
    }
  };
}

async function prepareBundle(
  { name, pushed, operatorPaths = [], policy, shared, module: known }: PrepareTask,
  bundle: Bundle,
  monotonic: () => number,
): Promise<Omit<PreparedRevision, 'revision' | 'digest' | 'sequence' | 'signed'>> {
  const mutable = bundle.manifest.metadata.mutable ?? [];
  // what another bundle left to operators is not theirs under this one
  const taken = operatorPaths.find((path) => !isMutable(path.split('/').map(decodeURIComponent), mutable));
  if (taken !== undefined) throw new CountersignError('operator_not_allowed', { field: taken });
  const data = placeDocuments(bundle.data, pushed);
  const codes = checkBundle({ ...bundle, data }, policy);
  const metadata = bundle.manifest.metadata.countersign;
  checkData(data, compileDataChecks(metadata?.schemas ?? {}));
  const own = ownData(data, name);
  const monitored = monitoredRoutes(own, policy.monitor ?? ENFORCED);
  const { rego, ...others } = splitData(own);
  const host = packHostData(others);
  const module = known ?? (await compileWasm(bundle.wasm));
  const wasm = await instantiateWasm(module, policy.contract === 'rules' ? withRuleCount(rego, codes.length) : rego, policy);
  requireLogRules(bundle.rego, wasm);
  const image = wasm.image();
  const facts = metadata === undefined ? null : { rules: metadata.rules, input: metadata.input };
  const worstCaseMs = tryOut(wasm, facts, { policy, input: shared.input, monotonic });
  const thresholds = thresholdsIn(rego, metadata?.rules ?? {});
  return {
    module,
    image,
    codes,
    metadata: facts,
    thresholds,
    host,
    missingData: missingIn(own, policy.requiredData),
    monitored,
    worstCaseMs,
  };
}

const CASES = /^cases\/[^/]+\.ya?ml$/;

/** A value takes up to 64 bytes of the heap, and a heap that is full while JSON is parsed ends the whole process and not only the thread. */
const VALUES_MAX = 2_000_000;

/** @throws CountersignError bundle_too_large where the documents have too many values to be parsed */
function boundValues(files: ReadonlyMap<string, Uint8Array>, pushed: readonly PushedDocument[]): void {
  let values = 0;
  const count = (name: string, bytes: Uint8Array): void => {
    // more than there are, where strings hold such characters
    for (const byte of bytes) if (byte === COMMA || byte === BRACKET || byte === BRACE) values++;
    if (values > VALUES_MAX) throw new CountersignError('bundle_too_large', { field: name, detail: 'values' });
  };
  for (const [path, bytes] of files) if (!/\.(rego|wasm)$/.test(path)) count(path, bytes);
  for (const { path, json } of pushed) count(path.join('.'), json);
}

/** The paths (`countersign.limits`) at which there is nothing. */
function missingIn(data: JsonObject, required: readonly string[]): string[] {
  return required.filter((path) => {
    let at: JsonValue | undefined = data;
    for (const name of path.split('.')) at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
    return at === undefined;
  });
}
