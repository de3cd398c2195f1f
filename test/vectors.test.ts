import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VECTORS_DIR } from './support/vectors.ts';

const index = join(VECTORS_DIR, 'index.json');
const isThere = existsSync(index);

// Where the vectors are away, vitest.config.ts leaves test/conformance out, and this is the one entry that says so.
test.skipIf(!isThere && process.env['CI'] !== 'true')(
  'the published test vectors are where VECTORS_DIR says, every file of their index',
  () => {
    expect(isThere, `${index} is missing`).toBe(true);
    const { files }: { files: { topic: string; file: string }[] } = JSON.parse(readFileSync(index, 'utf8'));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter(({ topic, file }) => !existsSync(join(VECTORS_DIR, topic, file)))).toEqual([]);
  },
);
