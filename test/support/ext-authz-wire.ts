import { delimited, double, integer, messageOf, messagesOf, numberOf, readWire, textOf, textsOf, type WireField } from './proto-wire.ts';

/** The parts of a `CheckRequest` that a test says; field numbers are those of STANDARDS C2. */
export type CheckParts = {
  readonly http?: HttpParts | null;
  readonly sourceIp?: string;
  readonly sourcePort?: number;
  readonly principal?: string;
  readonly certificate?: string;
  readonly contextExtensions?: Readonly<Record<string, string>>;
  readonly filterMetadata?: Readonly<Record<string, StructValue>>;
  readonly sni?: string;
};

export type HttpParts = {
  readonly id?: string;
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly headerMap?: readonly (readonly [string, Uint8Array])[];
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly size?: number;
  readonly body?: string | Uint8Array;
  readonly rawBody?: Uint8Array;
};

export type StructValue = string | number | boolean | null | readonly StructValue[] | { readonly [name: string]: StructValue };

export function encodeCheck(parts: CheckParts): Buffer {
  const fields: Buffer[] = [];
  const source: Buffer[] = [];
  if (parts.sourceIp !== undefined) {
    source.push(delimited(1, delimited(1, delimited(2, parts.sourceIp), integer(3, parts.sourcePort ?? 40_312))));
  }
  if (parts.principal !== undefined) source.push(delimited(4, parts.principal));
  if (parts.certificate !== undefined) source.push(delimited(5, parts.certificate));
  fields.push(delimited(1, ...source));
  // destination and request.time are there in real messages and must not disturb
  fields.push(delimited(2, delimited(1, delimited(1, delimited(2, '192.0.2.10'), integer(3, 8443)))));
  const http = parts.http === undefined ? { method: 'GET', path: '/orders', host: 'api.example', scheme: 'https' } : parts.http;
  fields.push(
    delimited(4, delimited(1, integer(1, 1_790_000_000), integer(2, 5)), ...(http === null ? [] : [delimited(2, encodeHttp(http))])),
  );
  for (const [key, value] of Object.entries(parts.contextExtensions ?? {})) {
    fields.push(delimited(10, delimited(1, key), delimited(2, value)));
  }
  const namespaces = Object.entries(parts.filterMetadata ?? {});
  fields.push(delimited(11, ...namespaces.map(([key, value]) => delimited(1, delimited(1, key), delimited(2, encodeStruct(value))))));
  if (parts.sni !== undefined) fields.push(delimited(12, delimited(1, parts.sni)));
  return delimited(1, ...fields);
}

function encodeHttp(http: HttpParts): Buffer {
  const fields: Buffer[] = [];
  const text = (field: number, value: string | Uint8Array | undefined) => {
    if (value !== undefined) fields.push(delimited(field, value));
  };
  text(1, http.id);
  text(2, http.method);
  for (const [name, value] of http.headers ?? []) fields.push(delimited(3, delimited(1, name), delimited(2, value)));
  text(4, http.path);
  text(5, http.host);
  text(6, http.scheme);
  if (http.size !== undefined) fields.push(integer(9, http.size));
  text(10, 'HTTP/2');
  text(11, http.body);
  text(12, http.rawBody);
  if (http.headerMap !== undefined) {
    text(13, Buffer.concat(http.headerMap.map(([name, value]) => delimited(1, delimited(1, name), delimited(3, value)))));
  }
  return Buffer.concat(fields);
}

function encodeStruct(value: StructValue): Buffer {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('a Struct is an object');
  return Buffer.concat(Object.entries(value).map(([key, member]) => delimited(1, delimited(1, key), delimited(2, encodeValue(member)))));
}

function encodeValue(value: StructValue): Buffer {
  if (value === null) return integer(1, 0);
  if (typeof value === 'number') return double(2, value);
  if (typeof value === 'string') return delimited(3, value);
  if (typeof value === 'boolean') return integer(4, value ? 1 : 0);
  if (Array.isArray(value)) return delimited(6, ...value.map((item) => delimited(1, encodeValue(item))));
  return delimited(5, encodeStruct(value));
}

export type ReadHeader = { readonly key: string; readonly value: string; readonly appendAction: number };
export type ReadDenied = { readonly status: number; readonly headers: readonly ReadHeader[]; readonly body: string };
export type ReadCheck = {
  readonly code: number;
  readonly denied: ReadDenied | null;
  readonly error: ReadDenied | null;
  readonly ok: {
    readonly headers: readonly ReadHeader[];
    readonly remove: readonly string[];
    readonly responseHeaders: readonly ReadHeader[];
    readonly queryToSet: readonly (readonly [string, string])[];
    readonly queryToRemove: readonly string[];
  } | null;
  readonly metadata: unknown;
};

export function decodeCheck(bytes: Buffer): ReadCheck {
  const fields = readWire(bytes);
  const ok = messageOf(fields, 3);
  const metadata = messageOf(fields, 4);
  return {
    code: numberOf(messageOf(fields, 1) ?? [], 1),
    denied: readDenied(messageOf(fields, 2)),
    error: readDenied(messageOf(fields, 5)),
    ok: ok === null ? null : readOk(ok),
    metadata: metadata === null ? null : readStruct(metadata),
  };
}

function readOk(ok: readonly WireField[]): NonNullable<ReadCheck['ok']> {
  const queryToSet = messagesOf(ok, 7).map((one): [string, string] => [textOf(one, 1), textOf(one, 2)]);
  return {
    headers: readHeaders(ok, 2),
    remove: textsOf(ok, 5),
    responseHeaders: readHeaders(ok, 6),
    queryToSet,
    queryToRemove: textsOf(ok, 8),
  };
}

/** Value of a header of an answer, or null. */
export function headerOf(headers: readonly ReadHeader[] | undefined, name: string): string | null {
  return headers?.find(({ key }) => key === name)?.value ?? null;
}

function readDenied(fields: WireField[] | null): ReadDenied | null {
  if (fields === null) return null;
  return { status: numberOf(messageOf(fields, 1) ?? [], 1), headers: readHeaders(fields, 2), body: textOf(fields, 3) };
}

function readHeaders(fields: readonly WireField[], field: number): ReadHeader[] {
  return messagesOf(fields, field).map((option) => {
    const header = messageOf(option, 1) ?? [];
    return { key: textOf(header, 1), value: textOf(header, 2), appendAction: numberOf(option, 3) };
  });
}

function readStruct(fields: readonly WireField[]): unknown {
  return Object.fromEntries(messagesOf(fields, 1).map((entry) => [textOf(entry, 1), readValue(messageOf(entry, 2) ?? [])]));
}

function readValue(fields: readonly WireField[]): unknown {
  const first = fields[0];
  if (first === undefined) return undefined;
  if (first.field === 5) return readStruct(messageOf(fields, 5) ?? []);
  if (first.field === 6) return messagesOf(messageOf(fields, 6) ?? [], 1).map(readValue);
  return first.field === 3 ? textOf(fields, 3) : first.value;
}
