import { expect } from 'vitest';
import type { ErrorCode } from '../../src/contract/codes.ts';
import { CountersignError } from '../../src/contract/errors.ts';
import type { PolicySet } from '../../src/decide/policies.ts';
import { baseBundle, createTestPolicies } from './fixtures.ts';

let shared: Promise<PolicySet> | null = null;
/** Policies that have the base pack active, one for a test file. */
function withBase(): Promise<PolicySet> {
  shared ??= (async () => {
    const set = createTestPolicies();
    await set.activate('default', await baseBundle());
    return set;
  })();
  return shared;
}

/** Expects a refusal with this code and text, and that the active revision stays. */
export async function refused(bundle: Uint8Array, code: ErrorCode, text: RegExp = /./, over?: PolicySet): Promise<void> {
  const set = over ?? (await withBase());
  const before = set.status()[0]?.revision;
  const thrown = await set.activate('default', bundle).then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(CountersignError);
  expect(thrown).toMatchObject({ code, message: expect.stringMatching(text) });
  const status = set.status()[0];
  expect(status).toMatchObject({ revision: before, lastError: { code } });
}
