import { type Codec, compileSchema } from '../grpc-codec.ts';

/**
 * The part of envoy/service/auth/v3, envoy/config/core/v3, envoy/type/v3, google/rpc and google/protobuf that we read or write,
 * by its right field numbers. Four liberties that change no byte on the wire:
 * a `map<string, T>` is written as what it is there, a list of entries (order and duplicates stay, no object keys from outside);
 * `HttpRequest.body` is bytes (the body's own encoding is judged with the body, not with the message);
 * the wrappers of oneof members that we only write are plain fields; and fields that nobody reads are left out.
 */
const EXT_AUTHZ_PROTO = `
syntax = "proto3";
package countersign.ext_authz;

message CheckRequest { AttributeContext attributes = 1; }
message AttributeContext {
  Peer source = 1;
  Request request = 4;
  repeated TextEntry context_extensions = 10;
  Metadata metadata_context = 11;
  TlsSession tls_session = 12;
}
message Peer { Address address = 1; string principal = 4; string certificate = 5; }
message Address { SocketAddress socket_address = 1; }
message SocketAddress { string address = 2; uint32 port_value = 3; }
message Request { HttpRequest http = 2; }
message HttpRequest {
  string id = 1;
  string method = 2;
  repeated TextEntry headers = 3;
  string path = 4;
  string host = 5;
  string scheme = 6;
  int64 size = 9;
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

message CheckResponse {
  Status status = 1;
  DeniedHttpResponse denied_response = 2;
  OkHttpResponse ok_response = 3;
  Struct dynamic_metadata = 4;
  DeniedHttpResponse error_response = 5;
}
message Status { int32 code = 1; string message = 2; }
message DeniedHttpResponse { HttpStatus status = 1; repeated HeaderValueOption headers = 2; string body = 3; }
message HttpStatus { int32 code = 1; }
message OkHttpResponse {
  repeated HeaderValueOption headers = 2;
  repeated string headers_to_remove = 5;
  repeated HeaderValueOption response_headers_to_add = 6;
  repeated TextEntry query_parameters_to_set = 7;
  repeated string query_parameters_to_remove = 8;
}
message HeaderValueOption { TextEntry header = 1; BoolValue append = 2; int32 append_action = 3; }
message BoolValue { bool value = 1; }
`;

export type TextEntry = { readonly key: string; readonly value: string };
/** `raw_value` is filled instead of `value` where Envoy has `encode_raw_headers`. */
export type HeaderValue = { readonly key: string; readonly value: string; readonly rawValue: Uint8Array };

export type ProtoValue = {
  /** Name of the member that is set; undefined where none is. */
  readonly kind?: 'nullValue' | 'numberValue' | 'stringValue' | 'boolValue' | 'structValue' | 'listValue' | undefined;
  readonly nullValue?: 0;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: ProtoStruct | null;
  readonly listValue?: { readonly values: readonly ProtoValue[] } | null;
};
export type ProtoStruct = { readonly fields: readonly { readonly key: string; readonly value: ProtoValue | null }[] };

export type HttpRequestMessage = {
  readonly id: string;
  readonly method: string;
  readonly headers: readonly TextEntry[];
  /** With its query, not decoded; `query` and `fragment` of the original message are always empty. */
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  /** int64: a number or the library's Long, which `String` reads; -1 is unknown. */
  readonly size: unknown;
  readonly body: Uint8Array;
  readonly rawBody: Uint8Array;
  readonly headerMap: { readonly headers: readonly HeaderValue[] } | null;
};

export type AttributesMessage = {
  readonly source: {
    readonly address: { readonly socketAddress: { readonly address: string; readonly portValue: number } | null } | null;
    readonly principal: string;
    readonly certificate: string;
  } | null;
  readonly request: { readonly http: HttpRequestMessage | null } | null;
  readonly contextExtensions: readonly TextEntry[];
  readonly metadataContext: { readonly filterMetadata: readonly { readonly key: string; readonly value: ProtoStruct | null }[] } | null;
  readonly tlsSession: { readonly sni: string } | null;
};

export type CheckRequestMessage = { readonly attributes: AttributesMessage | null };

/** OVERWRITE_IF_EXISTS_OR_ADD: the client's own copy of the header cannot survive. */
export const OVERWRITE = 2;
/** APPEND_IF_EXISTS_OR_ADD: a further line of a header that was overwritten before. */
export const APPEND = 0;
export type HeaderOption = {
  readonly header: TextEntry;
  /** The older word for it, which is the one that Envoy goes by for headers of a request. */
  readonly append?: { readonly value: true };
  readonly appendAction: typeof OVERWRITE | typeof APPEND;
};

export type DeniedMessage = {
  readonly status: { readonly code: number };
  readonly headers: readonly HeaderOption[];
  readonly body: string;
};
export type OkMessage = {
  readonly headers: readonly HeaderOption[];
  readonly headersToRemove: readonly string[];
  readonly responseHeadersToAdd: readonly HeaderOption[];
  readonly queryParametersToSet?: readonly TextEntry[];
  readonly queryParametersToRemove?: readonly string[];
};

/** google.rpc.Code of a refusal; 0 is not among them. */
export type RefusalCode = 3 | 7 | 8 | 13 | 16;

/** What Envoy reads: an allow has code 0 and only `okResponse`, anything else a refusal code and no `okResponse`. */
export type CheckResponseMessage =
  | { readonly status: { readonly code: 0 }; readonly okResponse: OkMessage; readonly dynamicMetadata: ProtoStruct }
  | { readonly status: { readonly code: RefusalCode }; readonly deniedResponse: DeniedMessage; readonly dynamicMetadata: ProtoStruct }
  | { readonly status: { readonly code: RefusalCode }; readonly errorResponse: DeniedMessage; readonly dynamicMetadata: ProtoStruct };

const schema = compileSchema(EXT_AUTHZ_PROTO);

export const checkRequest: Codec<CheckRequestMessage> = schema.codec('countersign.ext_authz.CheckRequest');
export const checkResponse: Codec<CheckResponseMessage> = schema.codec('countersign.ext_authz.CheckResponse');
