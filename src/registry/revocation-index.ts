import type { Revocations } from '../contract/registry.ts';
import type { Revocation } from './revocation-entry.ts';
import { createTimes } from './revocation-times.ts';

/** Revocations ready for look-up. */
export interface RevocationIndex extends Revocations {
  add(revocation: Revocation): void;
  /** Takes back one that was added, once. */
  remove(revocation: Revocation): void;
}

/** An empty index. What holds for any issuer has the issuer ''. */
export function createRevocationIndex(): RevocationIndex {
  const plain = { client: new Set<string>(), apiKey: new Set<string>(), sha256: new Set<string>(), serial: new Set<string>() };
  const byIssuer = { jti: new Set<string>(), sid: new Set<string>() };
  const times = createTimes();
  let entries = 0;
  /** How often a name was added beside the first time: an entry that somebody else reads as narrower has the same one. */
  const again = new Map<Set<string>, Map<string, number>>();

  const scoped = (issuer: string, key: string): string => `${issuer}\n${key}`;
  const has = (set: ReadonlySet<string>, key: string, issuer: string): boolean =>
    set.size > 0 && (set.has(scoped('', key)) || set.has(scoped(issuer, key)));
  /** The set that one is in, and its name there. */
  function placeOf(revocation: Exclude<Revocation, { kind: 'issuedBefore' }>): readonly [Set<string>, string] {
    if ('issuer' in revocation) return [byIssuer[revocation.kind], scoped(revocation.issuer ?? '', revocation.key)];
    return [plain[revocation.kind], revocation.key];
  }

  function countAgain(set: Set<string>, name: string, by: 1 | -1): void {
    const counts = again.get(set) ?? new Map<string, number>();
    again.set(set, counts);
    const left = (counts.get(name) ?? 0) + by;
    if (left === 0) counts.delete(name);
    else counts.set(name, left);
  }

  return {
    get entries() {
      return entries;
    },
    add(revocation) {
      entries++;
      if (revocation.kind === 'issuedBefore') times.add(revocation);
      else {
        const [set, name] = placeOf(revocation);
        if (set.has(name)) countAgain(set, name, 1);
        else set.add(name);
      }
    },
    remove(revocation) {
      entries--;
      if (revocation.kind === 'issuedBefore') times.remove(revocation);
      else {
        const [set, name] = placeOf(revocation);
        if (again.get(set)?.has(name) === true) countAgain(set, name, -1);
        else set.delete(name);
      }
    },
    client: (id) => plain.client.has(id),
    apiKey: (id) => plain.apiKey.has(id),
    token: (jtiHash, issuer) => has(byIssuer.jti, jtiHash, issuer),
    session: (sid, issuer) => has(byIssuer.sid, sid, issuer),
    certificate: ({ sha256, serial }) => (sha256 !== null && plain.sha256.has(sha256)) || (serial !== null && plain.serial.has(serial)),
    issuedBefore: times.latest,
  };
}
