import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/* Owner of tar-stream's reading side: an OPA bundle (gzip tar) as values, within bounds. */

export type BundleLimits = {
  readonly packedBytesMax: number;
  readonly bytesMax: number;
  readonly filesMax: number;
  readonly pathBytesMax: number;
};
export const BUNDLE_LIMITS: BundleLimits = { packedBytesMax: 32 << 20, bytesMax: 128 << 20, filesMax: 5000, pathBytesMax: 512 };

/** OPA's manifest; `metadata.countersign` is what our build adds (see bundle-build.ts). */
const Manifest = z.looseObject({
  revision: z.string().max(256).default(''),
  roots: z.array(z.string()).default(['']),
  wasm: z.array(z.looseObject({ entrypoint: z.string(), module: z.string() })).default([]),
  metadata: z
    .looseObject({
      /** Paths such as `countersign/limits/rate` whose data operators may change; all else is for admins. */
      mutable: z.array(z.string()).optional(),
      /** Of signed bundles: it may only rise, but for a rollback. */
      sequence: z.int().min(0).optional(),
      countersign: z
        .strictObject({
          version: z.literal(1),
          rules: z.record(
            z.string(),
            z.strictObject({
              title: z.string().nullable(),
              public: z.boolean(),
              status: z.int().min(400).max(599).nullable(),
              exceptions: z.boolean().optional(),
              /** One sentence: what would lift it. */
              remedy: z.string().max(1024).optional(),
              /** Paths below `input` and `data` that the rule reads, and where it is written. */
              input: z.array(z.array(z.string())).optional(),
              data: z.array(z.array(z.string())).optional(),
              at: z.string().max(600).optional(),
            }),
          ),
          input: z.array(z.array(z.string())),
          schemas: z.record(z.string(), z.record(z.string(), z.json())),
        })
        .optional(),
    })
    .default({}),
});
export type Manifest = z.infer<typeof Manifest>;
/** What our build adds to a bundle, or undefined where plain `opa build` made it. */
export type BundleMetadata = NonNullable<Manifest['metadata']['countersign']>;

export type Bundle = {
  readonly manifest: Manifest;
  readonly data: JsonObject;
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Path in the bundle to text. */
  readonly rego: ReadonlyMap<string, string>;
};

/**
 * Reads a bundle.
 * @throws CountersignError bundle_unreadable, bundle_too_large, bundle_path_invalid, bundle_manifest_invalid, bundle_wasm_missing
 */
export async function readBundle(packed: Uint8Array, limits: BundleLimits = BUNDLE_LIMITS): Promise<Bundle> {
  return bundleOf(await unpack(packed, limits));
}

/**
 * The files of a bundle as values.
 * @throws CountersignError bundle_unreadable, bundle_manifest_invalid, bundle_wasm_missing
 */
export function bundleOf(files: ReadonlyMap<string, Buffer>): Bundle {
  const manifest = parseManifest(files.get('.manifest'));
  const name = manifest.wasm[0]?.module.replace(/^\/+/, '') ?? 'policy.wasm';
  const wasm = files.get(name);
  if (wasm === undefined) throw new CountersignError('bundle_wasm_missing', { field: name });
  const rego = new Map<string, string>();
  const data: Record<string, JsonValue> = {};
  for (const [path, bytes] of files) {
    if (path.endsWith('.rego')) rego.set(path, decode(bytes, path));
    else if (path === 'data.json' || path.endsWith('/data.json')) place(data, path, parseJson(bytes, path));
    else if (/(^|\/)data\.ya?ml$/.test(path))
      throw new CountersignError('bundle_unreadable', { field: path, detail: 'opa build writes data.json' });
  }
  return { manifest, data, wasm: new Uint8Array(wasm), rego };
}

/** Every file of a gzip tar by its path without leading slash. */
export async function unpack(packed: Uint8Array, limits: BundleLimits = BUNDLE_LIMITS): Promise<Map<string, Buffer>> {
  if (packed.byteLength > limits.packedBytesMax) throw new CountersignError('bundle_too_large', { field: 'packed' });
  const tar = await inflate(packed, limits.bytesMax);
  const files = new Map<string, Buffer>();
  const reader = extract();
  try {
    for await (const entry of Readable.from([tar]).pipe(reader)) {
      const { name, type } = entry.header;
      const path = name.replace(/^(\.?\/)+/, '');
      if (type === 'directory') entry.resume();
      else {
        if (type !== 'file' && type !== 'contiguous-file')
          throw new CountersignError('bundle_path_invalid', { detail: `an entry is a ${type}` });
        if (!isSafePath(path, limits) || files.has(path))
          throw new CountersignError('bundle_path_invalid', { detail: JSON.stringify(name.slice(0, 128)) });
        if (files.size >= limits.filesMax) throw new CountersignError('bundle_too_large', { field: 'files' });
        const chunks: Uint8Array[] = [];
        for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk);
        files.set(path, Buffer.concat(chunks));
      }
    }
  } catch (error) {
    throw error instanceof CountersignError
      ? error
      : new CountersignError('bundle_unreadable', { detail: 'not a tar archive', cause: error });
  }
  if (files.size === 0) throw new CountersignError('bundle_unreadable', { detail: 'no file in it' });
  return files;
}

async function inflate(packed: Uint8Array, bytesMax: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(packed, { maxOutputLength: bytesMax });
  } catch (error) {
    const tooLarge = error instanceof RangeError || (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE');
    throw tooLarge
      ? new CountersignError('bundle_too_large', { field: 'bytes' })
      : new CountersignError('bundle_unreadable', { detail: 'not gzip', cause: error });
  }
}

function isSafePath(path: string, limits: BundleLimits): boolean {
  if (path === '' || Buffer.byteLength(path) > limits.pathBytesMax || !/^[\x20-\x5b\x5d-\x7e]+$/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part !== '__proto__');
}

function parseManifest(bytes: Buffer | undefined): Manifest {
  if (bytes === undefined) throw new CountersignError('bundle_manifest_invalid', { field: '.manifest', detail: 'missing' });
  const parsed = Manifest.safeParse(parseJson(bytes, '.manifest'));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CountersignError('bundle_manifest_invalid', { field: issue?.path.join('.') ?? '', detail: issue?.message ?? '' });
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CountersignError('bundle_unreadable', { field: path, detail: 'not UTF-8', cause: error });
  }
}

function parseJson(bytes: Buffer, path: string): JsonValue {
  try {
    return JSON.parse(decode(bytes, path));
  } catch (error) {
    const code = path === '.manifest' ? 'bundle_manifest_invalid' : 'bundle_unreadable';
    throw error instanceof CountersignError ? error : new CountersignError(code, { field: path, detail: 'not JSON', cause: error });
  }
}

/** Puts the document of `a/b/data.json` at `a.b`. */
function place(data: Record<string, JsonValue>, path: string, document: JsonValue): void {
  if (!isJsonObject(document)) throw new CountersignError('bundle_data_invalid', { field: path, detail: 'not an object' });
  let nested: JsonObject = document;
  for (const name of path.split('/').slice(0, -1).reverse()) nested = { [name]: nested };
  merge(data, nested, path);
}

function merge(into: Record<string, JsonValue>, from: JsonObject, path: string): void {
  for (const [name, value] of Object.entries(from)) {
    const known = Object.hasOwn(into, name) ? into[name] : undefined;
    if (known === undefined) {
      Object.defineProperty(into, name, { value, writable: true, enumerable: true, configurable: true });
    } else if (isJsonObject(known) && isJsonObject(value)) {
      const copy: Record<string, JsonValue> = { ...known };
      merge(copy, value, path);
      into[name] = copy;
    } else throw new CountersignError('bundle_data_invalid', { field: `${path}: ${name}`, detail: 'said twice' });
  }
}
