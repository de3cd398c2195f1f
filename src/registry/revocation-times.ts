import type { Revocation } from './revocation-entry.ts';

type IssuedBefore = Extract<Revocation, { kind: 'issuedBefore' }>;

/** Times by whom they are of: an issuer, a client, a subject, any of them left out. */
export function createTimes() {
  /** Several times may be revoked of one: the latest counts, and the one before it where that is taken back. */
  const times = new Map<string, { latest: number; readonly all: number[] }>();
  /** How many name a subject; without any half of the look-ups are left out. */
  let ofSubjects = 0;

  // neither an issuer nor a client has a line end in it
  const keyOf = (issuer: string, client: string, subject: string): string => `${issuer}\n${client}\n${subject}`;
  const nameOf = ({ issuer, client, subject }: IssuedBefore): string => keyOf(issuer ?? '', client ?? '', subject ?? '');

  return {
    add(revocation: IssuedBefore): void {
      const key = nameOf(revocation);
      const known = times.get(key);
      if (known === undefined) times.set(key, { latest: revocation.atSeconds, all: [revocation.atSeconds] });
      else {
        known.all.push(revocation.atSeconds);
        known.latest = Math.max(known.latest, revocation.atSeconds);
      }
      if (revocation.subject !== null) ofSubjects++;
    },

    remove(revocation: IssuedBefore): void {
      const key = nameOf(revocation);
      const known = times.get(key);
      const at = known?.all.indexOf(revocation.atSeconds) ?? -1;
      if (known === undefined || at < 0) return;
      known.all.splice(at, 1);
      if (known.all.length === 0) times.delete(key);
      else known.latest = known.all.reduce((latest, time) => Math.max(latest, time));
      if (revocation.subject !== null) ofSubjects--;
    },

    latest(issuer: string, client: string | null, subject: string | null = null): number | null {
      if (times.size === 0) return null;
      const subjects = subject === null || ofSubjects === 0 ? [''] : ['', subject];
      let latest: number | null = null;
      for (const one of subjects) {
        for (const from of ['', issuer]) {
          for (const of of client === null ? [''] : ['', client]) {
            const time = times.get(keyOf(from, of, one))?.latest;
            if (time !== undefined && (latest === null || time > latest)) latest = time;
          }
        }
      }
      return latest;
    },
  };
}
