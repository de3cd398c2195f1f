import type { JsonObject } from '../contract/json.ts';

/** One question of `POST /decide`, in the words of its wire; what each member is, and from whom it counts, is in docs/decide.md. */
export type Question = {
  readonly request?: {
    /** The application's own id of the request, for the log of Countersign. */
    readonly id?: string;
    readonly method: string;
    readonly scheme?: string;
    readonly host?: string;
    /** Raw path and query, not decoded. */
    readonly path: string;
    readonly headers?: Readonly<Record<string, string | readonly string[]>>;
    /** The body as text, for routes of MCP servers; `body_truncated` where it is not the whole of it. */
    readonly body?: string;
    readonly body_truncated?: boolean;
  };
  readonly source?: { readonly ip?: string; readonly port?: number; readonly forwarded_for?: readonly string[] };
  readonly token?: { readonly claims: JsonObject };
  readonly certificate?: {
    readonly pem?: string;
    readonly sha256?: string;
    readonly subject?: string;
    readonly issuer?: string;
    readonly serial?: string;
    readonly uris?: readonly string[];
    readonly dns?: readonly string[];
    /** Unix seconds. */
    readonly not_after?: number;
  };
  readonly tls?: { readonly sni?: string; readonly version?: string; readonly ja3?: string; readonly ja4?: string };
  readonly rate?: { readonly count: number; readonly window_seconds: number };
  readonly subject?: { readonly type: string; readonly id: string; readonly properties?: JsonObject };
  readonly action?: { readonly name: string; readonly properties?: JsonObject };
  readonly resource?: { readonly type: string; readonly id: string; readonly properties?: JsonObject };
  readonly context?: JsonObject;
  /** Name of the policy; left out: that of the application's gateway entry. */
  readonly policy?: string;
};

/** What became of a request that was decided (`POST /feedback`). */
export type Report = {
  readonly decision_id: string;
  readonly outcome: 'success' | 'failure' | 'error' | 'abuse';
  /** HTTP status of the answer. */
  readonly status?: number;
  /** What it cost, by unit. */
  readonly cost?: Readonly<Record<string, number>>;
};
