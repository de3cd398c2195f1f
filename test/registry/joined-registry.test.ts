import { expect, test } from 'vitest';
import { joinRegistry } from '../../src/registry/joined-registry.ts';
import { createRevocationIndex } from '../../src/registry/revocation-index.ts';
import { createTestRegistry } from '../identify/registries.ts';

function sources() {
  const files = createTestRegistry();
  const revocations = createRevocationIndex();
  const pushed = { generation: 1, available: true, revocations };
  return { files, pushed, revocations };
}

test('without files nobody is declared, and what is pushed counts', () => {
  const { pushed, revocations } = sources();
  const joined = joinRegistry(null, pushed);
  expect([joined.client('a'), joined.apiKey('a'), joined.clientOfSpiffeId('a'), joined.available]).toEqual([null, null, null, true]);
  revocations.add({ kind: 'client', key: 'a' });
  expect([joined.revocations.entries, joined.revocations.client('a'), joined.revocations.client('b')]).toEqual([1, true, false]);
  pushed.available = false;
  expect(joined.available).toBe(false);
});

test('of both sources either is enough, for every kind, and of two times the later one counts', () => {
  const { files, pushed, revocations } = sources();
  const joined = joinRegistry(files, pushed);
  files.declare({ clients: [{ clientId: 'agent', type: 'agent' }] });
  expect(joined.client('agent')?.id).toBe('agent');
  files.revoke({ client: 'f' }, { sid: 'f' }, { jti: 'f' }, { issuedBefore: '2026-01-01' });
  expect(joined.revocations.client('f')).toBe(true);
  revocations.add({ kind: 'client', key: 'p' });
  revocations.add({ kind: 'apiKey', key: 'p' });
  revocations.add({ kind: 'jti', key: 'p', issuer: 'i' });
  revocations.add({ kind: 'sid', key: 'p', issuer: null });
  revocations.add({ kind: 'serial', key: '1' });
  const both = joined.revocations;
  expect(['f', 'p', 'x'].map((id) => both.client(id))).toEqual([true, true, false]);
  expect(['f', 'p', 'x'].map((sid) => both.session(sid, 'i'))).toEqual([true, true, false]);
  expect([both.token('p', 'i'), both.token('p', 'j'), both.apiKey('p'), both.certificate({ sha256: null, serial: '1' })]).toEqual([
    true,
    false,
    true,
    true,
  ]);
  const inFile = Date.UTC(2026, 0, 1) / 1000;
  expect(both.issuedBefore('i', null, 's')).toBe(inFile);
  revocations.add({ kind: 'issuedBefore', atSeconds: inFile + 5, client: null, issuer: null, subject: 's' });
  expect([both.issuedBefore('i', null, 's'), both.issuedBefore('i', null, 't')]).toEqual([inFile + 5, inFile]);
  expect(both.entries).toBe(4 + 6);
});

test('a change of either source is another generation', () => {
  const { files, pushed } = sources();
  const joined = joinRegistry(files, pushed);
  const seen = [joined.generation];
  files.revoke({ client: 'a' });
  seen.push(joined.generation);
  pushed.generation++;
  seen.push(joined.generation);
  expect(new Set(seen).size).toBe(3);
});
