import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { ActivePolicy } from '../contract/stages.ts';

/* What the work on policies needs of other parts of the house; `src/compose/policy-tools.ts` hands it in. */

export type BuildRequest = { readonly opaBin: string; readonly directory: string; readonly entrypoint: string };

/** What the METADATA of a rule says. */
export type RuleTitle = { readonly title: string | null; readonly public: boolean; readonly status: number | null };

/** A bundle as it lies there; nothing of it was tried. */
export type BundleFacts = {
  readonly revision: string;
  readonly roots: readonly string[];
  readonly entrypoints: readonly string[];
  /** Code to METADATA; null where plain `opa build` made the bundle, which brings none. */
  readonly rules: Readonly<Record<string, RuleTitle>> | null;
  /** How many fields of the input its rules read; null where the bundle does not say. */
  readonly inputPaths: number | null;
  readonly metadata: JsonObject;
  readonly data: JsonObject;
  /** Every file by its path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Names of the builtins that the module leaves to the host. */
  readonly builtins: readonly string[];
};

/** What a policy says of a document in the form of its input. */
export type OfflineAnswer = {
  readonly effect: string;
  readonly status: number | null;
  readonly reasons: readonly { readonly code: string; readonly effect: string; readonly title: string }[];
  /** Every rule, also those that are clear. */
  readonly verdicts: readonly JsonValue[];
  readonly requiredAssurance: number;
  readonly risk: { readonly score: number; readonly factors: readonly { readonly code: string; readonly points: number }[] };
  readonly stepUp: JsonValue;
  /** Sources that it would ask before it decides. */
  readonly collect: readonly string[];
};

/** One exchange with the admin API; never follows a redirect. */
export type AdminRequest = {
  readonly method: 'PUT' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly allowInsecureHttp: boolean;
};

/** Everything of other parts that the commands work with; none of it needs a running service. */
export interface PolicyTools {
  /** The JSON Schema of the input, as the service writes it. */
  inputSchema(): string;
  /** Those of the builtins that are not there, each with why where that is known: `http.send: policies ask nobody`. */
  missingBuiltins(names: readonly string[]): readonly string[];
  /** @throws CountersignError opa_missing, policy_compile_failed */
  build(request: BuildRequest): Promise<Uint8Array>;
  /** @throws CountersignError bundle_* */
  read(bundle: Uint8Array): Promise<BundleFacts>;
  /** A gzip tar with the manifest first; the same files give the same bytes. */
  pack(files: ReadonlyMap<string, Uint8Array | string>): Promise<Uint8Array>;
  /** Everything that the service does with a bundle before it is active. @throws CountersignError bundle_* */
  load(bundle: Uint8Array, entrypoint: string): Promise<ActivePolicy>;
  /** A policy for documents in the form of its input. @throws CountersignError bundle_*; the function policy_* */
  offline(bundle: Uint8Array, entrypoint: string): Promise<(input: JsonObject) => OfflineAnswer>;
  /** The same for the same code, however it is laid out or commented. */
  digestOf(rego: string): string;
  /** @throws CountersignError bundle_routes_invalid */
  checkRoutes(data: JsonValue): void;
  /** Milliseconds on a scale that never goes back. */
  monotonic(): number;
  /** Bytes of this process. */
  memory(): { readonly rss: number; readonly heap: number };
  /** @throws CountersignError fetch_failed, fetch_too_large */
  send(request: AdminRequest): Promise<{ readonly status: number; readonly contentType: string | null; readonly bytes: Uint8Array }>;
}
