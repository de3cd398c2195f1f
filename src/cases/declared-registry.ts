import type { Registry } from '../contract/registry.ts';
import { parseRecords } from '../registry/parse-records.ts';
import { parseRevocations } from '../registry/parse-revocations.ts';
import { problemTexts } from '../registry/problem.ts';
import { addClient, createRecordIndex } from '../registry/record-index.ts';
import { createRevocationIndex } from '../registry/revocation-index.ts';
import { CaseError } from './case-error.ts';

/** A registry whose content a case sets, as its files would. */
export type DeclaredRegistry = Registry & {
  available: boolean;
  declare(content: { readonly clients?: readonly object[]; readonly keys?: readonly object[] }): void;
  revoke(...revocations: readonly object[]): void;
};

/** A registry that nothing is declared in yet; `declare` and `revoke` throw a CaseError for what its files could not have. */
export function createDeclaredRegistry(hashKeyId: string): DeclaredRegistry {
  let records = createRecordIndex();
  let revocations = createRevocationIndex();
  let generation = 1;
  return {
    available: true,
    get generation() {
      return generation;
    },
    client: (id) => records.clients.get(id) ?? null,
    clientOfSpiffeId: (id) => records.spiffeIds.get(id) ?? null,
    apiKey: (id) => records.apiKeys.get(id) ?? null,
    get revocations() {
      return revocations;
    },
    declare(content) {
      const text = JSON.stringify(content);
      const parsed = parseRecords([{ name: 'given.registry', text }], { entriesMax: 100, hashKeyIds: [hashKeyId] });
      refuse(problemTexts(parsed.problems));
      records = createRecordIndex();
      for (const client of parsed.clients) addClient(records, client);
      for (const key of parsed.apiKeys) records.apiKeys.set(key.id, key);
      generation++;
    },
    revoke(...entries) {
      const parsed = parseRevocations([{ name: 'given.registry', text: JSON.stringify({ revocations: entries }) }], { entriesMax: 100 });
      refuse(problemTexts(parsed.problems));
      revocations = createRevocationIndex();
      for (const one of parsed.revocations) revocations.add(one);
      generation++;
    },
  };
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new CaseError(problems.join('\n'));
}
