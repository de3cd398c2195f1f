import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { BUNDLE_LIMITS, readBundle, unpack } from '../../src/decide/bundle.ts';
import { scanRego } from '../../src/decide/rego-scan.ts';
import { parseVerdict } from '../../src/decide/verdict.ts';
import { baseBundle } from '../decide/fixtures.ts';

let tar: Buffer;
beforeAll(async () => {
  tar = gunzipSync(await baseBundle());
});

/** Reads a bundle, or gives our error; anything else that is thrown fails the test. */
async function readOrRefuse(packed: Uint8Array): Promise<string> {
  try {
    await readBundle(packed);
    return 'read';
  } catch (error) {
    if (error instanceof CountersignError) return error.code;
    throw error;
  }
}

describe('bundles of foreign bytes', () => {
  it('are refused with a code of ours, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        expect(await readOrRefuse(bytes)).toMatch(/^bundle_/);
        expect(await readOrRefuse(gzipSync(bytes))).toMatch(/^bundle_/);
      }),
    );
  });

  it('are read or refused where some bytes of a good one are changed, and never by another error', async () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
        const copy = Buffer.from(tar);
        // headers and the manifest stand at the front: most changes go there
        for (const [at, byte] of changes) copy[at % (at % 2 === 0 ? 4096 : copy.length)] = byte;
        expect(await readOrRefuse(gzipSync(copy, { level: 1 }))).toMatch(/^(read|bundle_)/);
      }),
      { numRuns: 100 },
    );
  });

  it('are refused where they end early', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 40_000 }), async (length) => {
        expect(await readOrRefuse(gzipSync(tar.subarray(0, length), { level: 1 }))).toMatch(/^bundle_/);
      }),
      { numRuns: 50 },
    );
  });

  it('give only safe paths', async () => {
    const files = await unpack(gzipSync(tar), BUNDLE_LIMITS);
    for (const path of files.keys()) expect(path).toMatch(/^[^/\\][^\\]*$/);
  });
});

describe('the scanner of Rego', () => {
  it('is total, and finds a default and a bare else wherever they stand', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        scanRego(text);
        // after a line of any text that leaves no string open
        const safe = text.replace(/["`#\n]/g, '');
        expect(scanRego(`package a\n${safe}\ndefault verdict := "allow"\n`).defaultsVerdict).toBe(true);
        expect(scanRego(`package a\n${safe}\nverdict := 1 if x\nelse := 2\n\n_y if z\n`).bareElse).toBe(true);
      }),
    );
  });

  it('does not mind comments and layout', () => {
    const space = fc.stringMatching(/^[ \t\n]{1,3}$/);
    fc.assert(
      fc.property(space, space, fc.stringMatching(/^[a-z "`]{0,20}$/), (a, b, comment) => {
        const plain = 'package a.b\n\nverdict := "clear" if input.x == 1\n';
        const other = `# ${comment}\npackage a.b${a}\n# ${comment}\nverdict${b.replaceAll('\n', ' ')}:= "clear" if input.x == 1 # ${comment}\n`;
        expect(scanRego(other).digest).toBe(scanRego(plain).digest);
      }),
    );
  });
});

describe('verdicts of any form', () => {
  it('are read without a throw; only the four words are decided', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { effect } = parseVerdict('a.b', JSON.parse(JSON.stringify(value)));
        const word: unknown =
          typeof value === 'object' && value !== null && !Array.isArray(value) && 'effect' in value ? value.effect : value;
        if (effect !== 'undecided') expect(['allow', 'deny', 'step_up', 'clear']).toContain(word);
      }),
    );
  });
});
