import type { BehaviourSignal, BehaviourValue } from '../../../src/contract/behaviour.ts';
import type { Effect } from '../../../src/contract/decision.ts';
import type { NetworkCoordinates, NetworkSignal } from '../../../src/contract/network.ts';
import type { DecisionRecord } from '../../../src/contract/record.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { type BehaviourOptions, createBehaviour } from '../../../src/enrich/behaviour/behaviour.ts';
import { allowed } from '../../record/records.ts';
import { identityOf, requestOf } from '../requests.ts';
import { MAKERS, T0 } from './fixtures.ts';

/** One request as a test tells it. */
export type Asked = {
  readonly client?: string | null;
  readonly atMs?: number;
  readonly path?: string;
  readonly address?: string | null;
  readonly token?: string | null;
  /** The credential was refused. */
  readonly refused?: string;
  readonly country?: string | null;
  readonly asn?: number | null;
  readonly coordinates?: NetworkCoordinates | null;
  readonly effect?: Effect;
  /** No decision could be made. */
  readonly failed?: boolean;
  /** Of the client's response. */
  readonly status?: number;
  readonly ja4?: string | null;
  readonly userAgent?: string;
};

export function askedRequest(asked: Asked): DecisionRequest {
  const { path = '/orders', ja4 = null, userAgent } = asked;
  const base = requestOf({ receivedAtMs: asked.atMs ?? T0 });
  const { http } = allowed.request;
  if (http === null) throw new Error('the record has no HTTP request');
  return {
    ...base,
    http: { ...http, host: 'api.example', path, headers: new Map(userAgent === undefined ? [] : [['user-agent', [userAgent]]]) },
    tls: { ...base.tls, ja4 },
    credentials: { ...base.credentials, authorization: asked.refused === undefined ? [] : [`Bearer ${asked.refused}`] },
  };
}

export function askedIdentity({ client = 'agent-1', token = null, refused }: Asked) {
  const identity = identityOf({ client, tokenKey: token });
  if (refused === undefined) return identity;
  return { ...identity, signals: { ...identity.signals, token: { status: 'invalid', code: 'signature_invalid' } as const } };
}

export function networkOf({ address = '203.0.113.7/32', country = null, asn = null, coordinates = null }: Asked): NetworkSignal {
  const known = allowed.enrichment?.network;
  if (known?.status !== 'present' || address === null) return { status: 'absent', code: 'address_missing' };
  return { status: 'present', value: { ...known.value, prefix: address, country, asn, coordinates } };
}

export function recordOf(asked: Asked): DecisionRecord {
  const { effect = 'allow', failed = false, status } = asked;
  const response = status === undefined ? allowed.decision.response : { status, headers: {}, body: {} };
  return {
    ...allowed,
    request: askedRequest(asked),
    identity: askedIdentity(asked),
    enrichment: allowed.enrichment === null ? null : { ...allowed.enrichment, network: networkOf(asked) },
    decision: { ...allowed.decision, effect, response, error: failed ? { code: 'deadline_exceeded' } : null },
  };
}

/** A memory that is asked and told the decision, as the path does; nothing is being learnt unless a test says so. */
export function createRemembered(options: Partial<BehaviourOptions> = {}) {
  const behaviour = createBehaviour({ entriesMax: 1000, learningRequests: 0, learningHours: 0, ...options }, 'process', MAKERS);
  function ask(asked: Asked = {}): BehaviourSignal {
    const { client = 'agent-1', address = '203.0.113.7/32', token = null } = asked;
    const signal = behaviour.look(askedRequest(asked), askedIdentity(asked), networkOf(asked), { client, address, token });
    if (client !== null) behaviour.learn(recordOf(asked), client);
    return signal;
  }
  return {
    behaviour,
    signal: ask,
    /** The numbers; throws where there are none. */
    ask(asked: Asked = {}): BehaviourValue {
      const signal = ask(asked);
      if (signal.status !== 'present') throw new Error(`${signal.status}: ${signal.code}`);
      return signal.value;
    },
  };
}
