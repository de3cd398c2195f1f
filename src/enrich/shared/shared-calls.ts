import type { Identity } from '../../contract/identity.ts';
import type { NetworkSignal } from '../../contract/network.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { HashKey, MakeCalls, SharedCall } from '../../stores/shared-store.ts';
import type { WindowKeys } from '../../stores/windows.ts';
import { refusedCredential } from '../behaviour/behaviour.ts';
import { hashAddress, hashAsn, hashResource, teaches } from '../behaviour/client-numbers.ts';
import { countryNumber } from '../behaviour/client-record.ts';
import type { Hash } from '../behaviour/distinct.ts';
import { DENIALS, STEP_UPS } from '../behaviour/hour-counts.ts';
import { KeyedHash } from '../behaviour/keyed-hash.ts';
import { type DeviceFacts, type Fingerprint, fingerprintOf, hashDevice, isFingerprint } from '../device/device-facts.ts';
import { boundedKey } from '../rate.ts';
import { DISTINCT_SCRIPT } from './distinct-script.ts';
import { LEARN_ALLOWED, LEARN_SCRIPT } from './learn-script.ts';
import { LOOK_SCRIPT } from './look-script.ts';
import type { Script } from './script.ts';

/** Texts of all scripts that the calls name. */
export const SHARED_SCRIPTS: readonly string[] = [LOOK_SCRIPT.text, LEARN_SCRIPT.text, DISTINCT_SCRIPT.text];

/** Places of the replies; null where nothing is asked. */
export type Remembers = {
  readonly client: number | null;
  readonly token: number | null;
  readonly address: number | null;
  readonly fingerprint: number | null;
};

type Look = {
  readonly request: DecisionRequest;
  readonly identity: Identity;
  readonly network: NetworkSignal;
  readonly keys: WindowKeys;
  /** Null where devices are not remembered, or the request brought nothing of one. */
  readonly facts: DeviceFacts | null;
  readonly behaviour: boolean;
};

export type LookCalls = { readonly make: MakeCalls; readonly asked: Remembers; readonly count: number };

type Enabled = { readonly behaviour: boolean; readonly device: boolean };
type Halves = readonly [number | '', number | ''];
const NO_HASH: Halves = ['', ''];

/** Makes the calls for what happens to a client: one an entity, so that each can fail, or lie on a server, of its own. */
export function createSharedCalls() {
  let hashKey: HashKey = [0, 0];
  let hash = new KeyedHash(hashKey);

  function hashWith(key: HashKey): KeyedHash {
    if (key !== hashKey) hash = new KeyedHash(key);
    hashKey = key;
    return hash;
  }

  return {
    /** The hash of a device under the key of the newest calls. */
    deviceHash: (facts: Fingerprint): Hash | null => hashDevice(hash, facts),

    look({ request, identity, network, keys, facts, behaviour }: Look): LookCalls {
      const { client, token, address } = keys;
      const nowMs = request.receivedAtMs;
      let count = 0;
      const place = (wanted: boolean): number | null => (wanted ? count++ : null);
      const asked: Remembers = {
        client: place(client !== null && (behaviour || facts !== null)),
        token: place(behaviour && token !== null && address !== null),
        address: place(behaviour && address !== null),
        fingerprint: place(client !== null && facts !== null && isFingerprint(facts.basis)),
      };
      const make: MakeCalls = (key) => {
        const using = hashWith(key);
        const made: SharedCall[] = [];
        if (asked.client !== null && client !== null) {
          const asn = network.status === 'present' ? network.value.asn : null;
          const hashes = behaviour
            ? [halves(hashResource(using, request)), halves(hashAddress(using, address)), halves(hashAsn(using, asn))]
            : [NO_HASH, NO_HASH, NO_HASH];
          made.push(run(LOOK_SCRIPT, `c:${client}`, [nowMs, behaviour ? 1 : 0, facts === null ? 0 : 1, ...hashes.flat()]));
        }
        if (asked.token !== null) made.push(distinct(`t:${token}`, nowMs, halves(hashAddress(using, address))));
        if (asked.address !== null) {
          const credential = refusedCredential(request, identity);
          made.push(distinct(`a:${address}`, nowMs, credential === undefined ? NO_HASH : textHalves(using, 'c', credential)));
        }
        if (asked.fingerprint !== null && client !== null) {
          made.push(distinct(`f:${boundedKey(facts?.text ?? '')}`, nowMs, textHalves(using, 'k', client)));
        }
        return made;
      };
      return { make, asked, count };
    },

    /** Null where a decision teaches nothing. */
    learn({ request, decision, enrichment }: DecisionRecord, client: string, enabled: Enabled): MakeCalls | null {
      const allowed = decision.effect === 'allow';
      const kind = !(enabled.behaviour && teaches(decision))
        ? ''
        : allowed
          ? LEARN_ALLOWED
          : decision.effect === 'deny'
            ? DENIALS
            : STEP_UPS;
      const device = enabled.device && allowed;
      if (kind === '' && !device) return null;
      const place = enrichment?.network.status === 'present' ? enrichment.network.value : null;
      const at = place?.coordinates ?? null;
      const coordinates = at === null ? ['', '', ''] : [at.latitude, at.longitude, at.accuracyKm ?? -1];
      const where = [countryNumber(place?.country ?? null) ?? '', place?.asn ?? '', ...coordinates];
      const fingerprint = device ? fingerprintOf(request) : null;
      return (key) => {
        const hashed = fingerprint === null ? NO_HASH : halves(hashDevice(hashWith(key), fingerprint));
        return [run(LEARN_SCRIPT, `c:${client}`, [request.receivedAtMs, kind, ...where, device ? 1 : '', ...hashed])];
      };
    },

    /** Counts an event of a client by its kind in hour-counts.ts. */
    event(client: string, kind: number, nowMs: number): MakeCalls {
      return () => [run(LEARN_SCRIPT, `c:${client}`, [nowMs, kind, '', '', '', '', '', '', '', ''])];
    },
  };
}

function distinct(tag: string, nowMs: number, hash: Halves): SharedCall {
  return run(DISTINCT_SCRIPT, tag, hash[0] === '' ? [nowMs] : [nowMs, ...hash]);
}

function run({ sha }: Script, tag: string, args: readonly (string | number)[]): SharedCall {
  return { tag, before: ['EVALSHA', sha, 1], args };
}

/** Taken out at once: a hash is good until the next one is made. */
function halves(hash: Hash | null): Halves {
  return hash === null ? NO_HASH : [hash.low, hash.high];
}

function textHalves(hash: KeyedHash, kind: string, text: string): Halves {
  hash.text(kind, text);
  return halves(hash);
}
