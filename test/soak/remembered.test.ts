import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { behaviourRequest, clientIdentity, placeOf } from '../../bench/remembered-traffic.ts';
import { createBehaviour } from '../../src/enrich/behaviour/behaviour.ts';
import { createDevices } from '../../src/enrich/device/device.ts';
import { HOUR_MS, MAKERS, T0 } from '../enrich/behaviour/fixtures.ts';

const CLIENTS = 100_000;
const BYTES_MAX = 250e6;
/** More than are kept exactly. */
const THINGS = 33;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes of the heap and of typed arrays that are in use. */
function held(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test(`${CLIENTS} clients, as much of each as can be remembered, in ${BYTES_MAX / 1e6} MB`, { timeout: 300_000 }, () => {
  const before = held();
  const options = { entriesMax: CLIENTS, learningRequests: 0, learningHours: 0 };
  const behaviour = createBehaviour(options, 'process', MAKERS);
  const devices = createDevices(options, 'process', () => null, MAKERS);
  const identity = clientIdentity('any', 'absent');
  for (let hour = 0; hour < 2; hour += 1) {
    for (let thing = 0; thing < THINGS; thing += 1) {
      const network = placeOf(thing, 0);
      const request = behaviourRequest(T0 + hour * HOUR_MS + thing, `/things/${thing}`);
      for (let index = 0; index < CLIENTS; index += 1) {
        const client = `client-${index.toString().padStart(12, '0')}`;
        behaviour.look(request, identity, network, { client, address: `203.0.113.${thing}/32`, token: null });
        devices.look(request, identity, client);
      }
    }
  }
  const bytes = held() - before;
  console.log(`${(bytes / 1e6).toFixed(1)} MB`);
  expect(behaviour.entries().clients).toBe(CLIENTS);
  expect(bytes).toBeLessThan(BYTES_MAX);
});
