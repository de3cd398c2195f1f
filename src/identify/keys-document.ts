import { CountersignError } from '../contract/errors.ts';
import { isJsonObject } from '../contract/json.ts';
import type { Clock } from '../contract/stages.ts';
import type { HttpFetch, HttpFetchOptions } from '../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import type { IssuerOptions } from './options.ts';

const DOCUMENT_BYTES_MAX = 524_288;
/** Metadata changes rarely; a set that cannot be fetched any more makes it be read again at once. */
const METADATA_KEPT_MS = 3_600_000;

/** Gets the text of a JWK set anew; fails with a `CountersignError`. */
export type LoadKeyDocument = (signal: AbortSignal) => Promise<Buffer>;

export type KeyDocumentSources = { readonly httpFetch: HttpFetch; readonly readFile: ReadDocumentFile; readonly clock: Clock };

/** Where a JWK set is, and how it is fetched. */
export type KeySourceOptions = Pick<IssuerOptions, 'jwksUrl' | 'jwksFile' | 'fetchTimeoutMs' | 'allowInsecureHttp'>;

/** The loader for what an issuer's configuration names: a URL, a file, or else discovery. */
export function createKeyLoader(
  issuer: KeySourceOptions & Pick<IssuerOptions, 'issuer'>,
  { httpFetch, readFile, clock }: KeyDocumentSources,
): LoadKeyDocument {
  const { jwksUrl, jwksFile } = issuer;
  const optionsFor = (signal: AbortSignal): HttpFetchOptions => ({
    timeoutMs: issuer.fetchTimeoutMs,
    bytesMax: DOCUMENT_BYTES_MAX,
    allowInsecureHttp: issuer.allowInsecureHttp,
    signal,
  });
  if (jwksFile !== null) return () => readFile(jwksFile, DOCUMENT_BYTES_MAX);
  if (jwksUrl !== null) return async (signal) => (await httpFetch(jwksUrl, optionsFor(signal))).bytes;

  let known: { readonly jwksUri: string; readonly untilMs: number } | null = null;
  return async (signal) => {
    const options = optionsFor(signal);
    const jwksUri = known !== null && clock.monotonic() < known.untilMs ? known.jwksUri : await discover(issuer.issuer, httpFetch, options);
    known = null;
    const { bytes } = await httpFetch(jwksUri, options);
    known = { jwksUri, untilMs: clock.monotonic() + METADATA_KEPT_MS };
    return bytes;
  };
}

/** `jwks_uri`, or another address, of the first metadata document that is there, names this very issuer and has it. */
export async function discover(
  issuer: string,
  httpFetch: HttpFetch,
  options: HttpFetchOptions,
  member: 'jwks_uri' | 'introspection_endpoint' = 'jwks_uri',
): Promise<string> {
  let failure: unknown;
  for (const url of metadataUrls(issuer)) {
    try {
      const { bytes } = await httpFetch(url, options);
      return readMetadata(bytes, issuer, member);
    } catch (thrown) {
      failure = thrown;
    }
  }
  throw failure;
}

/** OpenID Connect Discovery 1.0 section 4 appends to the issuer, RFC 8414 section 3.1 inserts before its path. */
export function metadataUrls(issuer: string): readonly string[] {
  const url = URL.parse(issuer);
  if (url === null) return [];
  const path = url.pathname.replace(/\/$/, '');
  return [`${url.origin}${path}/.well-known/openid-configuration`, `${url.origin}/.well-known/oauth-authorization-server${path}`];
}

function readMetadata(bytes: Buffer, issuer: string, member: string): string {
  const metadata = parseMetadata(bytes);
  if (!isJsonObject(metadata)) throw new CountersignError('keys_invalid', { detail: 'metadata is not a JSON object' });
  // RFC 8414 section 3.3: an issuer that differs must not be used
  if (metadata['issuer'] !== issuer)
    throw new CountersignError('keys_invalid', { field: 'issuer', detail: 'differs from the configured one' });
  const address = metadata[member];
  if (typeof address !== 'string') throw new CountersignError('keys_invalid', { field: member });
  return address;
}

function parseMetadata(bytes: Buffer): unknown {
  try {
    const metadata: unknown = JSON.parse(bytes.toString('utf8'));
    return metadata;
  } catch {
    throw new CountersignError('keys_invalid', { detail: 'metadata is not JSON' });
  }
}
