// What device and behaviour cost: node --expose-gc bench/remembered.ts [clients]; prints megabytes of full memories and microseconds of CPU a request.

import type { NetworkSignal } from '../src/contract/network.ts';
import type { DecisionRecord } from '../src/contract/record.ts';
import { createBehaviour } from '../src/enrich/behaviour/behaviour.ts';
import type { MemoryMakers } from '../src/enrich/behaviour/memory.ts';
import { createDevices } from '../src/enrich/device/device.ts';
import { BlockPool, createBlock } from '../src/stores/block-pool.ts';
import { RecordPool } from '../src/stores/record-pool.ts';
import { allowedRecord, behaviourRequest, clientIdentity, placeOf } from './remembered-traffic.ts';

const CLIENTS = Number(process.argv[2] ?? 100_000);
const NOW_MS = 1_790_000_000_000;
const HOUR_MS = 3_600_000;

const makers: MemoryMakers = {
  records: (options) => new RecordPool(options),
  blocks: (blocksMax) => new BlockPool(blocksMax),
  pointer: createBlock,
  hashKey: [1, 2],
};
const options = { entriesMax: CLIENTS, learningRequests: 10, learningHours: 0 };

/** Resident bytes of the heap and of typed arrays, after a collection. */
async function held(): Promise<number> {
  // array buffers are freed after the collection that finds them
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** Clients that each do `things` different things an hour, for two hours. */
async function fill(things: number, withPools: boolean): Promise<void> {
  const before = await held();
  const behaviour = createBehaviour(options, 'process', makers);
  const devices = createDevices(options, 'process', () => null, makers);
  for (let hour = 0; hour < 2; hour += 1) {
    for (let thing = 0; thing < things; thing += 1) {
      const network = placeOf(thing, 0);
      for (let index = 0; index < CLIENTS; index += 1) {
        const client = `client-${index.toString().padStart(12, '0')}`;
        const nowMs = NOW_MS + hour * HOUR_MS + thing;
        const identity = clientIdentity(client, !withPools || thing > 0 ? 'absent' : 'invalid');
        const keys = {
          client,
          address: withPools ? `198.${index >> 16}.${(index >> 8) & 255}.${index & 255}/32` : `203.0.${thing >> 8}.${thing & 255}/32`,
          token: withPools ? `token-key-of-forty-three-characters-${index}` : null,
        };
        const request = behaviourRequest(nowMs, `/things/${thing}`);
        behaviour.look(request, identity, network, keys);
        devices.look(request, identity, client);
      }
    }
  }
  const bytes = (await held()) - before;
  const what = withPools ? 'each with its own address, token and refused credential' : 'one memory of clients';
  console.log(`${CLIENTS} clients of ${things} resources, addresses and AS numbers an hour, ${what}: ${megabytes(bytes)} MB`);
  console.log(`  ${JSON.stringify({ ...behaviour.entries(), device: devices.entries() })}`);
}

/** Everything that behaviour alone can hold: clients beyond 32 in every set, and as many tokens and addresses, each of two things, in both hours. */
async function fillToTheLast(): Promise<void> {
  const before = await held();
  const behaviour = createBehaviour(options, 'process', makers);
  const requests = ['one', 'two'].map((credential) => {
    const request = behaviourRequest(NOW_MS, '/');
    return { ...request, credentials: { ...request.credentials, authorization: [`Bearer ${credential}`] } };
  });
  const nobody = clientIdentity(null, 'invalid');
  for (let hour = 0; hour < 2; hour += 1) {
    for (let index = 0; index < CLIENTS; index += 1) {
      const client = `client-${index.toString().padStart(12, '0')}`;
      const own = `198.${index >> 16}.${(index >> 8) & 255}.${index & 255}/32`;
      const token = `token-key-of-forty-three-characters-${index.toString().padStart(7, '0')}`;
      for (let thing = 0; thing < 33; thing += 1) {
        const address = thing === 0 ? own : `203.0.${thing >> 8}.${thing & 255}/32`;
        const request = behaviourRequest(NOW_MS + hour * HOUR_MS, `/things/${thing}`);
        behaviour.look(request, clientIdentity(client, 'absent'), placeOf(thing, 0), { client, address, token: thing < 2 ? token : null });
      }
      for (const request of requests) {
        const at = { ...request, receivedAtMs: NOW_MS + hour * HOUR_MS };
        behaviour.look(at, nobody, placeOf(0, 0), { client: null, address: own, token: null });
      }
    }
  }
  console.log(
    `${CLIENTS} clients, tokens and addresses, every memory of behaviour full to its last block: ${megabytes((await held()) - before)} MB`,
  );
  console.log(`  ${JSON.stringify(behaviour.entries())}`);
}

/** What the process has computed so far: on a shared machine the wall clock counts others too. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Microseconds a request: looking and learning, with clients in turn. */
function time(clients: number, rounds: number): void {
  const behaviour = createBehaviour(options, 'process', makers);
  const devices = createDevices(options, 'process', () => null, makers);
  const networks: NetworkSignal[] = Array.from({ length: 8 }, (_, index) => placeOf(index, index * 0.001));
  // requests are new when they come, so their own memory is warm; only what is remembered of the client is not
  const records = Array.from({ length: 64 }, (_, index) =>
    allowedRecord(behaviourRequest(NOW_MS, `/orders/${index}`), NOBODY, networks[index & 7] ?? placeOf(0, 0)),
  );
  const known = Array.from({ length: clients }, (_, index) => ({
    client: `client-${index.toString().padStart(12, '0')}`,
    address: `203.0.113.${index & 255}/32`,
    token: `token-${index}`,
  }));
  const recordOf = (index: number): DecisionRecord =>
    records[index & 63] ?? allowedRecord(behaviourRequest(NOW_MS, '/'), NOBODY, placeOf(0, 0));
  const stages = { look: 0, device: 0, learn: 0 };
  let requests = 0;
  for (let round = 0; round < rounds; round += 1) {
    // a third of the rounds warms up
    const counts = round >= rounds / 3;
    const at = [cpuMs(), 0, 0, 0];
    known.forEach((keys, index) => {
      const record = recordOf(index + round);
      behaviour.look(record.request, NOBODY, networkOf(record), keys);
    });
    at[1] = cpuMs();
    known.forEach(({ client }, index) => {
      devices.look(recordOf(index + round).request, NOBODY, client);
    });
    at[2] = cpuMs();
    known.forEach(({ client }, index) => {
      const record = recordOf(index + round);
      behaviour.learn(record, client);
      devices.learn(record, client);
    });
    at[3] = cpuMs();
    if (!counts) continue;
    requests += clients;
    stages.look += (at[1] ?? 0) - (at[0] ?? 0);
    stages.device += (at[2] ?? 0) - (at[1] ?? 0);
    stages.learn += (at[3] ?? 0) - (at[2] ?? 0);
  }
  const each = (milliseconds: number): string => ((milliseconds * 1000) / requests).toFixed(2);
  console.log(
    `${clients} clients in turn, µs a request: behaviour ${each(stages.look)}, device ${each(stages.device)}, learning from the decision ${each(stages.learn)}`,
  );
}

const NOBODY = clientIdentity(null, 'absent');
const networkOf = (record: DecisionRecord): NetworkSignal => record.enrichment?.network ?? placeOf(0, 0);

time(100, 3000);
time(10_000, 45);
time(Math.min(CLIENTS, 100_000), 9);
await fill(1, false);
await fill(33, false);
await fill(2, true);
await fillToTheLast();
