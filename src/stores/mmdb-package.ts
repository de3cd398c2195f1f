import { createHash, timingSafeEqual } from 'node:crypto';
import type { SourceDeps, SourceRefusal } from './mmdb-source.ts';

/** An npm package in one exact version: what is installed must not depend on the day. */
export type PackageName = { readonly name: string; readonly version: string };

const PACKAGE = /^npm:((?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*)@(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/;
const MANIFEST_LIMITS = { timeoutMs: 30_000, bytesMax: 1024 * 1024 } as const;
const TARBALL_LIMITS = { timeoutMs: 600_000, bytesMax: 1024 * 1024 * 1024 } as const;
const INTEGRITY = /^sha512-([A-Za-z0-9+/]{86}==)$/;

/** `npm:PACKAGE@1.2.3`, scope or none; null for anything else, ranges and tags included. */
export function parsePackage(from: string): PackageName | null {
  const [, name, version] = PACKAGE.exec(from) ?? [];
  return name === undefined || version === undefined ? null : { name, version };
}

/**
 * The tarball of a package, held to the `integrity` that the registry's manifest of that version names (Subresource Integrity, SHA-512).
 * It is never installed: no script of it runs, and nothing of it is written.
 * @throws CountersignError fetch_failed, fetch_too_large
 */
export async function fetchPackage(
  { name, version }: PackageName,
  registry: string | null,
  { fetch, npmRegistry }: SourceDeps,
): Promise<Buffer | SourceRefusal> {
  const base = registry ?? (await npmRegistry());
  if (base === null || !URL.canParse(base)) return { fault: 'registry_unknown', detail: null };
  const manifest = await fetch(`${base.replace(/\/+$/, '')}/${name.replace('/', '%2f')}/${version}`, MANIFEST_LIMITS);
  const dist = readDist(manifest.bytes);
  if (dist === null) return { fault: 'package_unknown', detail: null };
  const wanted = INTEGRITY.exec(dist.integrity)?.[1];
  if (wanted === undefined) return { fault: 'package_unsigned', detail: null };
  const { bytes } = await fetch(dist.tarball, { ...TARBALL_LIMITS, headers: { accept: '*/*' } });
  const sum = createHash('sha512').update(bytes).digest();
  return timingSafeEqual(sum, Buffer.from(wanted, 'base64')) ? bytes : { fault: 'checksum_mismatch', detail: null };
}

function readDist(bytes: Buffer): { readonly tarball: string; readonly integrity: string } | null {
  try {
    const manifest: unknown = JSON.parse(bytes.toString('utf8'));
    const dist = member(manifest, 'dist');
    const tarball = member(dist, 'tarball');
    const integrity = member(dist, 'integrity');
    return typeof tarball === 'string' ? { tarball, integrity: typeof integrity === 'string' ? integrity : '' } : null;
  } catch {
    return null;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
