import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSigningKey } from '../src/decide/assertion/signing-key.ts';
import { runCommand } from './support/doc-commands.ts';
import { fencedBlocks } from './support/markdown.ts';

test('docs/assertion.md: each command makes a key of the algorithm that the page says', async () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/assertion.md'), 'utf8');
  const [commands = ''] = fencedBlocks(page).flatMap(({ info, text }) => (info === 'sh' ? [text] : []));
  const folder = mkdtempSync(join(tmpdir(), 'countersign-assertion-docs-'));
  try {
    const algorithms = [];
    for (const command of commands.trimEnd().split('\n')) {
      expect((await runCommand(command, folder)).code).toBe(0);
      const key = parseSigningKey(readFileSync(join(folder, 'assertion-2026-11.pem'), 'utf8'));
      algorithms.push('problem' in key ? key.problem : key.algorithm);
    }
    expect(algorithms).toEqual(['ES256', 'EdDSA']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
