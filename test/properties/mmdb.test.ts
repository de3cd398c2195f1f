import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { describeNetwork } from '../../src/enrich/network.ts';
import { FIXTURES, openQuietly } from '../stores/databases.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-mmdb-property-'));
afterAll(() => rmSync(folder, { recursive: true }));

const good = readFileSync(join(FIXTURES, 'geo-city.mmdb'));
const chain = { header: 'x-forwarded-for', appendsPeer: false, hops: null };
const clients = ['203.0.113.7', '198.51.100.1', '192.0.2.1', '2001:db8:1::1', '2001:db8:2::1', '8.8.8.8', 'ffff::1'].map((ip) =>
  findClientAddress({ ip, port: null, forwardedFor: [] }, chain, []),
);

test('whatever bytes of a database are changed or cut off, opening and asking end in a signal of the right types', async () => {
  const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.option(fc.nat(good.length)), async (changes, length) => {
      const bytes = Buffer.from(good);
      for (const { at, byte } of changes) bytes[at] = byte;
      const path = join(folder, 'x.mmdb');
      writeFileSync(path, length === null ? bytes : bytes.subarray(0, length));
      const databases = [await openQuietly(path)];
      for (const client of clients) {
        const signal = describeNetwork(client, { databases, registryCountry: null }, 0);
        if (signal.status === 'unavailable') {
          expect(signal.code).toBe('database_broken');
          continue;
        }
        const { country, city, continent } = signal.status === 'present' ? signal.value : expect.fail(signal.status);
        for (const code of [country, continent]) expect(code ?? 'DE').toMatch(/^[A-Z]{2}$/);
        expect(city ?? '').toBeTypeOf('string');
      }
    }),
    { numRuns: 300 },
  );
});
