import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Trust } from '../../../src/contract/pep.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import type { ActivePolicy } from '../../../src/contract/stages.ts';
import type { PolicyOptions } from '../../../src/decide/options.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import type { CheckParts, ReadCheck } from '../../support/ext-authz-wire.ts';
import { type Fixture, PEP_TOKEN, startGrpc, tokenPep } from '../../support/grpc-fixture.ts';
import { createTestPolicies, opa, policyOptions } from '../fixtures.ts';

/** The bundle that plain `opa build` makes of one text, without any METADATA. */
export function plainBundle(
  rego: string,
  entrypoint: string,
  more: { readonly data?: object; readonly flags?: readonly string[] } = {},
): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-envoy-contract-'));
  try {
    writeFileSync(join(directory, 'policy.rego'), rego);
    if (more.data !== undefined) writeFileSync(join(directory, 'data.json'), JSON.stringify(more.data));
    opa(['build', '-t', 'wasm', '-e', entrypoint, ...(more.flags ?? []), '-o', 'bundle.tar.gz', '.'], directory);
    return readFileSync(join(directory, 'bundle.tar.gz'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** One active policy out of a text. */
export async function activePolicy(
  rego: string,
  options: Partial<PolicyOptions> & Pick<PolicyOptions, 'entrypoint'>,
  more = {},
): Promise<ActivePolicy> {
  const set = createTestPolicies({ policies: { default: policyOptions(options) } });
  return set.activate('default', plainBundle(rego, options.entrypoint, more));
}

/** What a policy decides of a request that nothing else is known about. */
export function decided(policy: ActivePolicy, request: DecisionRequest) {
  return policy.decide(request, SMOKE_FACTS.identity, SMOKE_FACTS.enrichment, policy.routeOf(request));
}

export const EVERYTHING: readonly Trust[] = ['client_address', 'forwarded', 'client_certificate', 'claims', 'explain'];

/** A gateway's whole call against one policy: message in, message out. */
export type Asked = { readonly check: ReadCheck; readonly input: unknown };
export interface PolicyServer {
  ask(parts: CheckParts): Promise<Asked>;
  close(): Promise<void>;
}

/** The real gRPC border in front of one policy. `input` is the document that was logged. */
export async function servePolicy(policy: ActivePolicy, trusts: readonly Trust[] = EVERYTHING): Promise<PolicyServer> {
  let input: unknown = null;
  const fixture: Fixture = await startGrpc({
    peps: [tokenPep(trusts)],
    decide: (request) => {
      const evaluated = decided(policy, request);
      input = evaluated.input('full');
      return evaluated.decision;
    },
  });
  return {
    ask: async (parts) => ({ check: await fixture.check(parts, { 'x-countersign-pep-token': PEP_TOKEN }), input }),
    close: () => fixture.close(),
  };
}
