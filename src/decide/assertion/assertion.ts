import type { UpstreamProof } from '../../contract/assertion.ts';
import type { Decision } from '../../contract/decision.ts';
import { CountersignError } from '../../contract/errors.ts';
import type { Identity } from '../../contract/identity.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Route } from '../../contract/route.ts';
import type { Clock } from '../../contract/stages.ts';
import type { SigningKeys } from './signing-keys.ts';

export const ASSERTION_HEADER = 'x-countersign-assertion';
/** RFC 8725 section 3.11: no other token of whoever has these keys can pass for an assertion. */
export const ASSERTION_TYPE = 'countersign-assertion+jwt';

export type AssertionOptions = {
  /** `publicUrl`. */
  readonly issuer: string;
  readonly lifetimeSeconds: number;
};

/** A longer text is left out: a cut identity would be another one, and the header has to fit into a gateway's buffers. */
const CLAIM_BYTES_MAX = 1024;

/** Signs what was decided for the upstream, at once and on an allow alone. AuthZEN's answers have no headers, so there is nothing to sign. */
export function createAssertion(
  { issuer, lifetimeSeconds }: AssertionOptions,
  keys: Pick<SigningKeys, 'active'>,
  clock: Clock,
): UpstreamProof {
  let head = { kid: '', text: '' };

  function headOf({ kid, algorithm }: ReturnType<SigningKeys['active']>): string {
    if (head.kid !== kid) head = { kid, text: encoded({ typ: ASSERTION_TYPE, alg: algorithm, kid }) };
    return head.text;
  }

  return {
    attach(request, decision, { route, identity }) {
      if (request.endpoint === 'authzen') return decision;
      if (route === null || identity === null || decision.effect !== 'allow') throw new CountersignError('internal_error');
      const key = keys.active();
      const iat = Math.floor(clock.now() / 1000);
      const claims = { iss: issuer, ...claimsOf(request, decision, route, identity), iat, exp: iat + lifetimeSeconds };
      const signed = `${headOf(key)}.${encoded(claims)}`;
      return withHeader(decision, `${signed}.${key.sign(Buffer.from(signed)).toString('base64url')}`);
    },
  };
}

/** Names of registered claims where there is one (RFC 7519, RFC 8693); what is not known is left out. */
function claimsOf(request: DecisionRequest, decision: Decision, route: Route, { subject, signals, evidence }: Identity) {
  const { token } = signals;
  const actor = claimText(token.status === 'present' ? (token.value.actor?.subject ?? null) : null);
  return {
    aud: route.id,
    policy: decision.policy.name,
    jti: decision.id,
    sub: claimText(subject.id),
    // only the gateway says who it is
    ...(subject.asserted ? { sub_asserted: true } : {}),
    client_id: claimText(subject.client),
    ...(actor === undefined ? {} : { act: { sub: actor } }),
    assurance: evidence.assurance,
    risk: decision.risk.score,
    pep: request.pep.name,
  };
}

function claimText(value: string | null): string | undefined {
  return value === null || value === '' || Buffer.byteLength(value) > CLAIM_BYTES_MAX ? undefined : value;
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function withHeader(decision: Decision, value: string): Decision {
  const { upstream } = decision;
  return {
    ...decision,
    upstream: {
      ...upstream,
      headersToSet: { ...upstream.headersToSet, [ASSERTION_HEADER]: value },
      headersToRemove: upstream.headersToRemove.filter((name) => name !== ASSERTION_HEADER),
    },
  };
}
