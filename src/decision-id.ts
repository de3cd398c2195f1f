import { randomUUID } from 'node:crypto';
import type { Clock, NewId } from './contract/stages.ts';

/**
 * Makes UUIDv7 ids (RFC 9562, section 5.7): 48 bits of unix milliseconds, then random bits.
 * Built on `randomUUID`, whose random pool makes it cheap, since `randomUUIDv7` needs Node 26.1.
 */
export function createNewId(clock: Clock): NewId {
  return () => {
    const time = Math.max(0, Math.floor(clock.now())).toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${randomUUID().slice(15)}`;
  };
}
