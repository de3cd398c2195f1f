import type { KeySourceOptions } from '../keys-document.ts';

/** Who signs by keys that the configuration names (RFC 9421), and what the signatures have to say. */
export type SignatureProfileOptions = KeySourceOptions & {
  readonly name: string;
  /** Signatures of this `tag`; null: those without one. */
  readonly tag: string | null;
  readonly refreshSeconds: number;
  /** Names of RFC 9421 section 6.2, asymmetric ones only. */
  readonly algorithms: readonly string[];
  /** Names that must be covered: fields in lower case, `@method` and so on. */
  readonly components: readonly string[];
  /** Ask for `content-digest` to be covered where there is a body. */
  readonly contentDigest: boolean;
  /** Since `created`. */
  readonly ageMaxSeconds: number;
  readonly nonce: 'required' | 'optional';
  /** The client that the keys belong to, or null. */
  readonly clientId: string | null;
};

/** How key directories of agents are fetched. */
export type DirectoryOptions = {
  /** For one document, name resolution included. */
  readonly timeoutMs: number;
  readonly bytesMax: number;
  readonly ports: readonly number[];
  /** How long a directory's keys are used. */
  readonly ageMaxSeconds: number;
  /** How long a failed fetch is remembered. */
  readonly failureSeconds: number;
  readonly entriesMax: number;
  readonly concurrentMax: number;
  /** Fetches that one client address may cause in a minute. */
  readonly fetchesPerMinute: number;
  /** How long one request waits for a fetch. */
  readonly waitMs: number;
  /** For tests and development: agents on this machine, by plain http too, at any port. */
  readonly allowLoopback: boolean;
};

/** Agents on the web that publish their keys (draft-meunier-web-bot-auth-architecture). */
export type WebBotAuthOptions = {
  /** Exact host names, or any. */
  readonly agents: readonly string[] | 'any';
  readonly algorithms: readonly string[];
  /** Names that must be covered beside `@authority` or `@target-uri`, and `signature-agent`. */
  readonly components: readonly string[];
  /** From `created` to `expires`. */
  readonly lifetimeMaxSeconds: number;
  readonly nonce: 'required' | 'optional';
  readonly directory: DirectoryOptions;
};

/** HTTP message signatures: the configuration's section `identity.signatures`. Without profiles and Web Bot Auth they are not looked at. */
export type SignatureOptions = {
  readonly profiles: readonly SignatureProfileOptions[];
  readonly webBotAuth: WebBotAuthOptions | null;
  readonly clockSkewSeconds: number;
  /** Longest `signature-input`, `signature` and `signature-agent` that are looked at, each. */
  readonly fieldBytesMax: number;
};
