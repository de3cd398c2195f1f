import { expect, test } from 'vitest';
import { createHeldEntries } from '../../../src/registry/pushed/held-entries.ts';

const readable = JSON.stringify({ client: 'agent-a', reason: 'stolen', by: 'ann', at: 1 });

test('an entry of a form that is not known here revokes as soon as its form is', () => {
  const held = createHeldEntries();
  held.set({ id: 'one', untilSeconds: 10, text: '{"later":"form"}' });
  expect([held.unreadable, held.revocations.client('agent-a')]).toEqual([1, false]);
  // an operator made it longer, by a replica of this version
  held.set({ id: 'one', untilSeconds: 20, text: readable });
  expect([held.unreadable, held.revocations.client('agent-a'), held.revocations.entries]).toEqual([0, true, 1]);
  held.set({ id: 'one', untilSeconds: 30, text: readable });
  expect(held.revocations.entries).toBe(1);
  held.drop('one');
  expect([held.unreadable, held.revocations.client('agent-a'), held.entries.size]).toEqual([0, false, 0]);
});
