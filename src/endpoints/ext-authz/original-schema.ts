import { type Codec, compileSchema } from '../grpc-codec.ts';
import type { AttributesMessage, HttpRequestMessage, TextEntry } from './schema.ts';

/**
 * All of envoy/service/auth/v3 that Envoy fills in. Only questions whose policy reads the message itself are decoded by it: `schema.ts` has what
 * every question needs.
 */
const ORIGINAL_PROTO = `
syntax = "proto3";
package countersign.original;

message CheckRequest { AttributeContext attributes = 1; }
message AttributeContext {
  Peer source = 1;
  Peer destination = 2;
  Request request = 4;
  repeated TextEntry context_extensions = 10;
  Metadata metadata_context = 11;
  TlsSession tls_session = 12;
}
message Peer { Address address = 1; string service = 2; repeated TextEntry labels = 3; string principal = 4; string certificate = 5; }
message Address { SocketAddress socket_address = 1; Pipe pipe = 2; }
message Pipe { string path = 1; }
message SocketAddress { string address = 2; uint32 port_value = 3; string named_port = 4; }
message Request { Timestamp time = 1; HttpRequest http = 2; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message HttpRequest {
  string id = 1;
  string method = 2;
  repeated TextEntry headers = 3;
  string path = 4;
  string host = 5;
  string scheme = 6;
  int64 size = 9;
  string protocol = 10;
  bytes body = 11;
  bytes raw_body = 12;
  HeaderMap header_map = 13;
}
message TextEntry { string key = 1; string value = 2; }
message HeaderMap { repeated HeaderValue headers = 1; }
message HeaderValue { string key = 1; string value = 2; bytes raw_value = 3; }
message TlsSession { string sni = 1; }
message Metadata { repeated StructEntry filter_metadata = 1; }
message StructEntry { string key = 1; Struct value = 2; }

message Struct { repeated ValueEntry fields = 1; }
message ValueEntry { string key = 1; Value value = 2; }
message Value {
  oneof kind {
    int32 null_value = 1;
    double number_value = 2;
    string string_value = 3;
    bool bool_value = 4;
    Struct struct_value = 5;
    ListValue list_value = 6;
  }
}
message ListValue { repeated Value values = 1; }
`;

export type PeerMessage = {
  readonly address: {
    readonly socketAddress: { readonly address: string; readonly portValue: number; readonly namedPort: string } | null;
    readonly pipe: { readonly path: string } | null;
  } | null;
  readonly service: string;
  readonly labels: readonly TextEntry[];
  readonly principal: string;
  readonly certificate: string;
};

export type OriginalAttributes = Omit<AttributesMessage, 'source' | 'request'> & {
  readonly source: PeerMessage | null;
  readonly destination: PeerMessage | null;
  readonly request: {
    /** int64: a number or the library's Long, which `String` reads. */
    readonly time: { readonly seconds: unknown; readonly nanos: number } | null;
    readonly http: (HttpRequestMessage & { readonly protocol: string }) | null;
  } | null;
};

export const originalCheck: Codec<{ readonly attributes: OriginalAttributes | null }> =
  compileSchema(ORIGINAL_PROTO).codec('countersign.original.CheckRequest');
