import type { Revocations } from '../contract/registry.ts';
import type { Revocation } from './revocation-entry.ts';

/** Revocations ready for look-up; filled once, then only read. */
export interface RevocationIndex extends Revocations {
  add(revocation: Revocation): void;
}

/** An empty index. What holds for any issuer has the issuer ''. */
export function createRevocationIndex(): RevocationIndex {
  const plain = { client: new Set<string>(), apiKey: new Set<string>(), sha256: new Set<string>(), serial: new Set<string>() };
  const byIssuer = { jti: new Set<string>(), sid: new Set<string>() };
  const times = new Map<string, number>();
  let entries = 0;

  const scoped = (issuer: string, key: string): string => `${issuer}\n${key}`;
  const has = (set: ReadonlySet<string>, key: string, issuer: string): boolean =>
    set.size > 0 && (set.has(scoped('', key)) || set.has(scoped(issuer, key)));

  return {
    get entries() {
      return entries;
    },
    add(revocation) {
      entries++;
      if (revocation.kind === 'issuedBefore') {
        const key = scoped(revocation.issuer ?? '', revocation.client ?? '');
        times.set(key, Math.max(revocation.atSeconds, times.get(key) ?? 0));
      } else if ('issuer' in revocation) byIssuer[revocation.kind].add(scoped(revocation.issuer ?? '', revocation.key));
      else plain[revocation.kind].add(revocation.key);
    },
    client: (id) => plain.client.has(id),
    apiKey: (id) => plain.apiKey.has(id),
    token: (jtiHash, issuer) => has(byIssuer.jti, jtiHash, issuer),
    session: (sid, issuer) => has(byIssuer.sid, sid, issuer),
    certificate: ({ sha256, serial }) => (sha256 !== null && plain.sha256.has(sha256)) || (serial !== null && plain.serial.has(serial)),
    issuedBefore(issuer, client) {
      if (times.size === 0) return null;
      const found = [scoped('', ''), scoped(issuer, '')];
      if (client !== null) found.push(scoped('', client), scoped(issuer, client));
      return found.reduce<number | null>((latest, key) => {
        const time = times.get(key);
        return time === undefined || (latest !== null && latest >= time) ? latest : time;
      }, null);
    },
  };
}
