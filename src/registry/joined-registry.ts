import type { Registry, Revocations } from '../contract/registry.ts';

/** What is revoked beside the files. */
export type RevocationSource = Pick<Registry, 'generation' | 'available' | 'revocations'>;

/** Nobody is declared. */
const NOBODY: Registry = {
  generation: 0,
  available: true,
  client: () => null,
  clientOfSpiffeId: () => null,
  apiKey: () => null,
  revocations: {
    entries: 0,
    client: () => false,
    apiKey: () => false,
    token: () => false,
    session: () => false,
    certificate: () => false,
    issuedBefore: () => null,
  },
};

/** The declared callers, where there are any, with what either source revokes. */
export function joinRegistry(files: Registry | null, pushed: RevocationSource): Registry {
  const declared = files ?? NOBODY;
  const both = unionOf(
    () => declared.revocations,
    () => pushed.revocations,
  );
  return {
    // both only grow, so that the sum is another one after each change
    get generation() {
      return declared.generation + pushed.generation;
    },
    get available() {
      return declared.available && pushed.available;
    },
    client: (id) => declared.client(id),
    clientOfSpiffeId: (spiffeId) => declared.clientOfSpiffeId(spiffeId),
    apiKey: (id) => declared.apiKey(id),
    get revocations() {
      if (pushed.revocations.entries === 0) return declared.revocations;
      return declared.revocations.entries === 0 ? pushed.revocations : both;
    },
  };
}

function unionOf(first: () => Revocations, second: () => Revocations): Revocations {
  return {
    get entries() {
      return first().entries + second().entries;
    },
    client: (id) => first().client(id) || second().client(id),
    apiKey: (id) => first().apiKey(id) || second().apiKey(id),
    token: (jtiHash, issuer) => first().token(jtiHash, issuer) || second().token(jtiHash, issuer),
    session: (sid, issuer) => first().session(sid, issuer) || second().session(sid, issuer),
    certificate: (certificate) => first().certificate(certificate) || second().certificate(certificate),
    issuedBefore(issuer, client, subject) {
      const one = first().issuedBefore(issuer, client, subject);
      const other = second().issuedBefore(issuer, client, subject);
      return one === null || other === null ? (one ?? other) : Math.max(one, other);
    },
  };
}
