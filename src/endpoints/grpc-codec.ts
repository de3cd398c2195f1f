import protobuf from 'protobufjs';

/**
 * Reads and writes one message type. `decode` throws for bytes that are not a message, for invalid UTF-8 in a string and for
 * nesting deeper than 100; `encode` does not check types at all, so its callers build their values from typed parts.
 */
export type Codec<T> = { decode(bytes: Uint8Array): T; encode(value: T): Uint8Array };

/** The schemas of one .proto text; `codec` finds a message by its full name. */
export type Schema = { codec<T extends object>(name: string): Codec<T> };

/**
 * Compiles a proto3 text. Field names become camelCase. In decoded values an absent string is '', absent bytes are empty,
 * an absent message is null and an absent list is empty; unknown fields are dropped.
 */
export function compileSchema(text: string): Schema {
  const { root } = protobuf.parse(text);
  root.resolveAll();
  return {
    codec<T extends object>(name: string): Codec<T> {
      const type = root.lookupType(name);
      return {
        // The one place where a form is asserted: the text decides what the generated code makes, and the types beside it say the same.
        decode: (bytes) => type.decode(bytes) as unknown as T,
        encode: (value) => type.encode(value).finish(),
      };
    },
  };
}
