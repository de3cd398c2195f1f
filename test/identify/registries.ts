import { createDeclaredRegistry, type DeclaredRegistry } from '../../src/cases/declared-registry.ts';
import { HASH_KEY_ID } from '../support/registry.ts';

/** A registry whose content a test sets, as its files would. */
export type TestRegistry = DeclaredRegistry;

export function createTestRegistry(): TestRegistry {
  return createDeclaredRegistry(HASH_KEY_ID);
}
