import { onTestFinished } from 'vitest';
import type { BehaviourSignal, DeviceSignal } from '../../../src/contract/behaviour.ts';
import { createBehaviour } from '../../../src/enrich/behaviour/behaviour.ts';
import { createDevices } from '../../../src/enrich/device/device.ts';
import { SHARED_SCRIPTS } from '../../../src/enrich/shared/shared-calls.ts';
import { createSharedClients, type SharedClients } from '../../../src/enrich/shared/shared-clients.ts';
import type { RedisStoresOptions } from '../../../src/stores/redis/stores.ts';
import type { SharedStore } from '../../../src/stores/shared-store.ts';
import { openReady } from '../../stores/redis/opened.ts';
import { type Asked, askedIdentity, askedRequest, networkOf, recordOf } from '../behaviour/client.ts';
import { MAKERS } from '../behaviour/fixtures.ts';

/* The same client asked of both memories: that of one process, and that which all replicas share. */

export const LEARNING = { entriesMax: 1000, learningRequests: 3, learningHours: 1 };

export type Signals = { readonly device: DeviceSignal; readonly behaviour: BehaviourSignal };

const keysOf = ({ client = 'agent-1', address = '203.0.113.7/32', token = null }: Asked) => ({ client, address, token, route: null });

/** One replica over a real Redis, once that is ready. */
export async function openReplica(options: Pick<RedisStoresOptions, 'url'> & Partial<RedisStoresOptions>) {
  const stores = await openReady({ scripts: SHARED_SCRIPTS, hashKey: MAKERS.hashKey, ...options });
  return { ...stores, ...replicaOf(stores.shared) };
}

/** Asks a replica and tells it the decision, as the path does. */
export function replicaOf(store: SharedStore) {
  const clients: SharedClients = createSharedClients({ behaviour: LEARNING, device: LEARNING }, () => null, store);
  return {
    clients,
    async ask(asked: Asked, budgetMs = 5000): Promise<Signals> {
      const signals = await clients.look(askedRequest(asked), askedIdentity(asked), networkOf(asked), keysOf(asked), budgetMs);
      if (asked.client !== null) clients.learn(recordOf(asked), asked.client ?? 'agent-1');
      return signals;
    },
  };
}

/** The memory of one process. */
export function createProcess() {
  const behaviour = createBehaviour(LEARNING, 'shared', MAKERS);
  const devices = createDevices(LEARNING, 'shared', () => null, MAKERS);
  return {
    behaviour,
    ask(asked: Asked): Signals {
      const keys = keysOf(asked);
      const [request, identity] = [askedRequest(asked), askedIdentity(asked)];
      const signals = {
        device: devices.look(request, identity, keys.client),
        behaviour: behaviour.look(request, identity, networkOf(asked), keys),
      };
      if (keys.client !== null) {
        behaviour.learn(recordOf(asked), keys.client);
        devices.learn(recordOf(asked), keys.client);
      }
      return signals;
    },
  };
}

/** Without what only a store can lose. */
export function numbersOf({ device, behaviour }: Signals): unknown {
  return { device, behaviour: behaviour.status === 'present' ? { ...behaviour.value, historyLost: false } : behaviour };
}

/** Closes at the end of the test. */
export function closing(close: () => Promise<unknown>): void {
  onTestFinished(async () => {
    await close();
  });
}
