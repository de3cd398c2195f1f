import type { JsonObject } from './json.ts';

/**
 * The client's request as the gateway handed it on, **with its credentials**: only a policy of the contract `envoy` that is configured for it sees
 * them, and nothing of it may be logged. What the gateway is not trusted for is not in it.
 */
export type OriginalRequest = {
  /** The gateway's id of the request, or ''. */
  readonly id: string;
  readonly method: string;
  readonly scheme: string;
  /** Authority with its port; '' where it is not known. */
  readonly host: string;
  /** Path and query, not decoded. */
  readonly target: string;
  /** `HTTP/1.1`; '' where it is not known. */
  readonly protocol: string;
  /** Names as they came, in order, repeated ones and pseudo-headers included. */
  readonly headers: readonly (readonly [string, string])[];
  /** Null where the gateway sent none; `packed` where it came as bytes (`pack_as_bytes`) and not as text. */
  readonly body: { readonly bytes: Uint8Array; readonly packed: boolean } | null;
  /** True where the gateway says that it cut the body. */
  readonly bodyCut: boolean;
  /** Bytes, as the gateway says; null where it does not. */
  readonly size: string | null;
  /** When the gateway got the request, RFC 3339; null where it does not say. */
  readonly time: string | null;
  /** The other members of ext_authz `attributes`, in the JSON form of protobuf: source, destination, contextExtensions, metadataContext, tlsSession. */
  readonly attributes: JsonObject;
};
