import type { TLSSocket } from 'node:tls';

/** What a verified client certificate says about its holder. */
export type CertificateEvidence = {
  readonly uris: readonly string[];
  /** Lower case. */
  readonly dns: readonly string[];
  /** Lower-case hex of the DER's SHA-256. */
  readonly sha256: string;
};

const known = new WeakMap<TLSSocket, CertificateEvidence | null>();

/** The client certificate of a connection that TLS has verified against the listener's client CA, or null; read once a connection. */
export function peerCertificate(socket: TLSSocket): CertificateEvidence | null {
  let evidence = known.get(socket);
  if (evidence === undefined) {
    evidence = socket.authorized ? read(socket) : null;
    known.set(socket, evidence);
  }
  return evidence;
}

function read(socket: TLSSocket): CertificateEvidence | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const names = parseAltNames(certificate.subjectAltName ?? '');
  const of = (kind: string) => names.filter((name) => name.kind === kind).map((name) => name.value);
  return {
    uris: of('URI'),
    dns: of('DNS').map((name) => name.toLowerCase()),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/**
 * Node's text form of SANs: `DNS:a.example, URI:"with, a comma"`. Names that hold a comma, a quote or a control character come as JSON
 * string literals, so that a name cannot forge another one (CVE-2021-44532). What does not parse gives no name at all.
 */
export function parseAltNames(text: string): readonly { readonly kind: string; readonly value: string }[] {
  const names: { kind: string; value: string }[] = [];
  const form = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;
  while (form.lastIndex < text.length) {
    const match = form.exec(text);
    if (match === null) return [];
    const raw = match[2] ?? '';
    const value = raw.startsWith('"') ? unquoted(raw) : raw;
    if (value === null) return [];
    names.push({ kind: match[1] ?? '', value });
  }
  return names;
}

function unquoted(literal: string): string | null {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
