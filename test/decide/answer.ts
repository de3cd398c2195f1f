import type { Identity } from '../../src/contract/identity.ts';
import type { Credentials, DecisionRequest } from '../../src/contract/request.ts';
import type { Route } from '../../src/contract/route.ts';
import type { EnrichmentSignals, IdentitySignals } from '../../src/contract/signals.ts';
import { combine } from '../../src/decide/combine.ts';
import { decisionOf, type OutputOptions } from '../../src/decide/output.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import type { RuleFacts } from '../../src/decide/verdict.ts';

export const OPTIONS: OutputOptions = {
  challenge: {
    realm: 'api',
    resourceMetadataUrl: 'https://api.example/.well-known/oauth-protected-resource',
    dpopAlgorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'],
  },
  upstream: { headers: true, removeAuthorization: false },
};
const RULES = new Map<string, RuleFacts>([
  ['a.shown', { title: 'Shown', public: true, status: null }],
  ['a.unauthenticated', { title: 'Shown', public: true, status: 401 }],
  ['a.limited', { title: 'Shown', public: true, status: 429 }],
]);
export const POLICY = { name: 'default', revision: 'r1' };

export type Given = {
  readonly token?: IdentitySignals['token'];
  readonly apiKey?: IdentitySignals['apiKey'];
  readonly credentials?: Partial<Credentials>;
  readonly subject?: string;
  readonly flags?: DecisionRequest['flags'];
  readonly rate?: EnrichmentSignals['rate'];
  readonly route?: Partial<Route>;
  readonly options?: OutputOptions;
  /** `Accept-Signature`. */
  readonly accept?: string;
};

/** The decision that verdicts make of a request about which nothing else is known. */
export function answer(verdicts: readonly [string, unknown][], given: Given = {}) {
  const { request, identity, enrichment, route } = SMOKE_FACTS;
  const credentials = { ...request.credentials, ...given.credentials };
  const asked: DecisionRequest = { ...request, credentials, flags: given.flags ?? [] };
  const who: Identity = {
    ...identity,
    signals: { ...identity.signals, token: given.token ?? identity.signals.token, apiKey: given.apiKey ?? identity.signals.apiKey },
    subject: { ...identity.subject, id: given.subject ?? null },
    challenge: given.accept === undefined ? identity.challenge : { ...identity.challenge, acceptSignature: given.accept },
  };
  const rate: EnrichmentSignals['rate'] = given.rate ?? { status: 'absent', code: 'store_full' };
  const combined = combine({ verdicts: verdicts.map(([code, verdict]) => [...code.split('.'), verdict]) }, RULES);
  return decisionOf(asked, who, { ...enrichment, rate }, { ...route, ...given.route }, combined, POLICY, given.options ?? OPTIONS);
}
