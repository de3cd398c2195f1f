import type { Registry } from '../../src/contract/registry.ts';
import { parseRecords } from '../../src/registry/parse-records.ts';
import { parseRevocations } from '../../src/registry/parse-revocations.ts';
import { problemTexts } from '../../src/registry/problem.ts';
import { addClient, createRecordIndex } from '../../src/registry/record-index.ts';
import { createRevocationIndex } from '../../src/registry/revocation-index.ts';
import { HASH_KEY_ID } from '../support/registry.ts';

/** A registry whose content a test sets, as its files would. */
export type TestRegistry = Registry & {
  available: boolean;
  declare(content: { readonly clients?: readonly object[]; readonly keys?: readonly object[] }): void;
  revoke(...revocations: readonly object[]): void;
};

export function createTestRegistry(): TestRegistry {
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
      const parsed = parseRecords([{ name: 'test.yaml', text }], { entriesMax: 100, hashKeyIds: [HASH_KEY_ID] });
      refuse(problemTexts(parsed.problems));
      records = createRecordIndex();
      for (const client of parsed.clients) addClient(records, client);
      for (const key of parsed.apiKeys) records.apiKeys.set(key.id, key);
      generation++;
    },
    revoke(...entries) {
      const parsed = parseRevocations([{ name: 'test.yaml', text: JSON.stringify({ revocations: entries }) }], { entriesMax: 100 });
      refuse(problemTexts(parsed.problems));
      revocations = createRevocationIndex();
      for (const one of parsed.revocations) revocations.add(one);
      generation++;
    },
  };
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join('\n'));
}
