import type { MonitorOptions } from './monitor.ts';
import type { CandidateOptions } from './rollout/candidate.ts';
import type { SigningAlgorithm } from './signing/signatures.ts';

/** One policy of this process, as the config names it. */
export type PolicyOptions = {
  /** Path of a `.tar.gz` bundle, or of a directory of Rego that is compiled (development), or the URL of a bundle server. */
  readonly bundle: string;
  /** What the entry point reads and returns. */
  readonly contract: 'rules' | 'decision' | 'envoy';
  /** By the contract `envoy`: the policy sees the client's headers whole, with its credentials. */
  readonly input?: { readonly credentials: boolean };
  /** Slash path of the document that is evaluated. */
  readonly entrypoint: string;
  /** Codes of rules (`<category>.<rule>`) without which a bundle is refused. */
  readonly requiredRules: readonly string[];
  /** An evaluation that takes longer than this is marked as slow, milliseconds. */
  readonly slowMs: number;
  /** The Wasm memory never grows above this many pages of 64 KiB. */
  readonly memoryPagesMax: number;
  /** Paths in the data (`tenants.acme`) without which no decision is made: `data_not_loaded`. */
  readonly requiredData: readonly string[];
  /** A bundle that needs longer than this for the worst input that the caps allow is refused, milliseconds. */
  readonly worstCaseMs: number;
  /** A policy that its source has not confirmed for this long makes the process unready, seconds; null: for ever. */
  readonly ageMax: number | null;
  /** Keys that may sign its bundles; null where they must not be signed. */
  readonly signing: SigningOptions | null;
  /** Path of the `opa` binary for directories; null takes `opa` from PATH. */
  readonly opaBin: string | null;
  /** A policy that is tried beside this one; null or left out: none. */
  readonly candidate?: CandidateOptions | null;
  /** Left out: nothing may be decided without being enforced. */
  readonly monitor?: MonitorOptions;
};

/** Whose signatures count (OPA's bundle signing). */
export type SigningOptions = {
  readonly keys: Readonly<Record<string, { readonly algorithm: SigningAlgorithm; readonly keyFile: string }>>;
  /** The only key that may sign; null takes the one that the signature names. */
  readonly keyId: string | null;
  /** What the signature's `scope` must be; null: it must have none. */
  readonly scope: string | null;
};

/** How a bundle server is asked. */
export type ServerOptions = {
  readonly polling: {
    /** Between two questions there lies a time between these two, milliseconds; failures wait longer each time, up to the second. */
    readonly minMs: number;
    readonly maxMs: number;
    /** How long a server that can may wait for a change; 0: not at all. */
    readonly waitMs: number;
    readonly timeoutMs: number;
    readonly bytesMax: number;
  };
  readonly credentials: { readonly tokenFile: string | null };
  readonly tls: { readonly caFile: string | null; readonly certFile: string | null; readonly keyFile: string | null };
  readonly allowInsecureHttp: boolean;
};

/** What Rego may see of a request beside the fixed fields; credentials never. */
export type InputOptions = {
  /** Lower-case names of the client's headers. */
  readonly headers: readonly string[];
  /** Token claims that are handed on, or all of them. */
  readonly claims: 'all' | readonly string[];
};

/** Changes to requests that pass. */
export type UpstreamOptions = {
  /** Set the `x-countersign-*` headers; where false the client's copies are still removed. */
  readonly headers: boolean;
  /** Take the client's `authorization` away before the upstream sees it. */
  readonly removeAuthorization: boolean;
  /** Take API keys away that were verified here, wherever they came. */
  readonly removeApiKey?: boolean;
};

/** What challenges say (RFC 6750, RFC 9728, RFC 9449). */
export type ChallengeOptions = {
  readonly realm: string;
  readonly resourceMetadataUrl: string | null;
  /** Signature algorithms that proofs may use: `algs`. */
  readonly dpopAlgorithms: readonly string[];
  /** Whether an API key would do as well as a token. */
  readonly apiKeys?: boolean;
};

/** All that the decide stage is configured by. */
export type DecideOptions = {
  /** By name; `default` answers gateways that name none and have more than one. */
  readonly policies: Readonly<Record<string, PolicyOptions>>;
  /** Names of policies by canonical host, for gateways that have several and name none; left out: none. */
  readonly policyByHost?: Readonly<Record<string, string>>;
  readonly input: InputOptions;
  readonly upstream: UpstreamOptions;
  readonly challenge: ChallengeOptions;
};
