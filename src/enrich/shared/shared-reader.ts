import type { DeviceValue } from '../../contract/behaviour.ts';
import type { NetworkValue } from '../../contract/network.ts';
import type { Cells } from '../../stores/record-pool.ts';
import type { BehaviourOptions } from '../behaviour/behaviour.ts';
import { type ClientNumbers, readClient } from '../behaviour/client-numbers.ts';
import { ADDRESSES, ASNS, floatOf, NEWEST, RESOURCES } from '../behaviour/client-record.ts';
import { type Hash, numberOf } from '../behaviour/distinct.ts';
import type { DeviceOptions } from '../device/device.ts';
import { readDevice } from '../device/device-facts.ts';
import { DEVICE_FLOAT, DEVICE_WORD, FLOATS, HALVES_BYTE, RECORD_BYTES, WORDS, WORDS_BYTE } from './layout.ts';

/** Reads what the scripts answer. A reply of another form is a failed one. */
export function createSharedReader() {
  // little-endian, as the scripts write: so is every processor that the runtime is built for here
  const buffer = new ArrayBuffer(RECORD_BYTES);
  const bytes = new Uint8Array(buffer);
  const floats = new Float64Array(buffer, 0, FLOATS);
  const words = new Uint32Array(buffer, WORDS_BYTE, WORDS);
  const halves = new Uint16Array(buffer, HALVES_BYTE);
  const cells: Cells = { floats, float: 0, words, word: 0, halves, half: 0, fresh: false };
  const deviceCells: Cells = { ...cells, float: DEVICE_FLOAT, word: DEVICE_WORD };

  /** Puts the record where the cells see it. @returns whether the clock went back, or null where there is no record. */
  function load(reply: unknown): boolean | null {
    if (!Array.isArray(reply)) return null;
    const [back, record]: readonly unknown[] = reply;
    if (!(record instanceof Uint8Array) || record.length !== RECORD_BYTES) return null;
    bytes.set(record);
    return back === 1;
  }

  return {
    /** Null where the call failed. */
    client(reply: unknown, place: NetworkValue | null, options: BehaviourOptions): ClientNumbers | null {
      const clockBackwards = load(reply);
      if (clockBackwards === null) return null;
      const sets = { resources: numberOf(words, RESOURCES), addresses: numberOf(words, ADDRESSES), asns: numberOf(words, ASNS) };
      return readClient(cells, { nowMs: floatOf(cells, NEWEST), clockBackwards, sets, place }, options);
    },

    /** Null where the call failed. */
    device(reply: unknown, unknown: DeviceValue, hash: Hash | null, options: DeviceOptions): DeviceValue | null {
      if (load(reply) === null) return null;
      return readDevice(deviceCells, floats[DEVICE_FLOAT] ?? 0, unknown, hash, options);
    },

    number(reply: unknown): number | 'failed' {
      return typeof reply === 'number' && Number.isSafeInteger(reply) && reply >= 0 ? reply : 'failed';
    },
  };
}
