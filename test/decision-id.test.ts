import { describe, expect, it } from 'vitest';
import { createNewId } from '../src/decision-id.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('decision ids', () => {
  it('are UUIDv7 of the injected clock (RFC 9562, section 5.7)', () => {
    const newId = createNewId({ now: () => 0x017f22e279b0, monotonic: () => 0 });
    const id = newId();
    expect(id).toMatch(UUID_V7);
    expect(id.startsWith('017f22e2-79b0-7')).toBe(true);
  });

  it('differ, and sort by time', () => {
    let now = 1_790_000_000_000;
    const newId = createNewId({ now: () => now++, monotonic: () => 0 });
    const ids = Array.from({ length: 1000 }, newId);
    expect(new Set(ids).size).toBe(1000);
    expect([...ids].sort()).toEqual(ids);
  });
});
