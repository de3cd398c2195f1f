import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert as check, double, property, string, tuple, uniqueArray } from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { callerOf, createCanary, readCanaryKey } from '../../../src/decide/rollout/canary.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { readDocumentFile } from '../../../src/stores/read-file.ts';
import { KEY } from './world.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-canary-'));
afterAll(() => rmSync(directory, { recursive: true }));

const key = Buffer.from(KEY, 'hex');
const callers = Array.from({ length: 4000 }, (_, index) => `client\0agent-${index}`);
const chosen = (percent: number, by = key, policy = 'default') => callers.filter(createCanary(policy, percent, by));

describe('who is in the canary', () => {
  it('a caller has one side, and a higher percentage only adds callers', () => {
    const percent = double({ min: 0, max: 100, noNaN: true });
    check(
      property(uniqueArray(string(), { maxLength: 20 }), tuple(percent, percent), (names, both) => {
        const [low = 0, high = 0] = [...both].sort((one, other) => one - other);
        const few = createCanary('default', low, key);
        const many = createCanary('default', high, key);
        for (const name of names) {
          expect(few(name)).toBe(createCanary('default', low, key)(name));
          if (few(name)) expect(many(name)).toBe(true);
        }
      }),
    );
  });

  it('0 is nobody, 100 everybody, and 10 about a tenth', () => {
    expect(chosen(0)).toEqual([]);
    expect(chosen(100)).toEqual(callers);
    expect(chosen(10).length / callers.length).toBeCloseTo(0.1, 1);
  });

  it('more callers than are remembered, and names of any length, have one side', () => {
    const isChosen = createCanary('default', 50, key);
    const long = 'client\0'.padEnd(1000, 'a');
    const many = [...callers, long];
    const first = many.map(isChosen);
    for (let index = 0; index < 10_001; index += 1) isChosen(`client\0other-${index}`);
    expect(many.map(isChosen)).toEqual(first);
    expect(isChosen(long)).toBe(isChosen(long));
  });

  it('another key and another policy choose others', () => {
    const ours = new Set(chosen(50));
    for (const others of [chosen(50, Buffer.alloc(16, 7)), chosen(50, key, 'payments')]) {
      const both = others.filter((caller) => ours.has(caller)).length / callers.length;
      expect(both).toBeGreaterThan(0.2);
      expect(both).toBeLessThan(0.3);
    }
  });

  it('a caller is its verified client, else its address; what is only asserted chooses nothing', () => {
    const who = (client: string | null, asserted: boolean) => ({
      ...SMOKE_FACTS.identity,
      subject: { ...SMOKE_FACTS.identity.subject, client, asserted },
    });
    expect(callerOf(who('agent-a', false), '203.0.113.7')).toBe('client\0agent-a');
    expect(callerOf(who('agent-a', true), '203.0.113.7')).toBe('address\x00203.0.113.7');
    expect(callerOf(who(null, false), '203.0.113.7')).toBe('address\x00203.0.113.7');
    expect(callerOf(who(null, false), null)).toBeNull();
  });
});

describe('the key', () => {
  const read = (keyFile: string | null, secret: string | null) => readCanaryKey({ percent: 1, keyFile, secret }, readDocumentFile);
  const file = (text: string): string => {
    const path = join(directory, 'key');
    writeFileSync(path, text);
    return path;
  };

  it('comes from the configuration or from a file', async () => {
    await expect(read(null, KEY)).resolves.toEqual(key);
    await expect(read(file(`${KEY}\n`), null)).resolves.toEqual(key);
  });

  it.each(['', 'abc', KEY.slice(2), `${KEY}0`, 'a passphrase of more than 16 bytes', 'ff'.repeat(600)])('is refused: %j', async (text) => {
    await expect(read(file(text), null)).rejects.toMatchObject({ code: 'canary_key_invalid' });
  });

  it('is refused where its file is not there, and no message holds it', async () => {
    await expect(read(join(directory, 'none'), null)).rejects.toMatchObject({ code: 'canary_key_invalid' });
    await expect(read(null, 'short')).rejects.toThrow(/^(?!.*short)/);
  });
});
