import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load.ts';
import { printConfig } from '../../src/config/mask.ts';
import { outline } from '../../src/config/outline.ts';
import { CONFIG_JSON_SCHEMA } from '../../src/config/schema.ts';

const file = join(mkdtempSync(join(tmpdir(), 'countersign-config-')), 'any.yaml');

/** What loading a file of this content comes to: true for a configuration, false for a refusal that says why; anything else throws. */
function outcome(content: string | Uint8Array): boolean {
  writeFileSync(file, content);
  try {
    printConfig(loadConfig({ file, env: {} }));
    return true;
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    expect(thrown.problems.length).toBeGreaterThan(0);
    expect(thrown.problems.every(({ path, message }) => path !== '' && message !== '')).toBe(true);
    return false;
  }
}

describe('properties', () => {
  it('any bytes are a configuration or a refusal with its reasons', () => {
    const yamlish = fc.array(
      fc.constantFrom(
        'http',
        ': ',
        '{',
        '}',
        '[',
        ']',
        '- ',
        '\n',
        '  ',
        '"',
        "'",
        '&a ',
        '*a',
        '!!str ',
        '? ',
        '|',
        '#',
        '\t',
        'port',
        '1',
        '<<',
        '---\n',
        '%',
      ),
    );
    const content = fc.oneof(
      fc.uint8Array(),
      fc.string({ unit: 'binary' }),
      yamlish.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(content, (text) => void outcome(text)),
      { numRuns: 500 },
    );
  });

  it('any values under the real keys are a configuration or a refusal with its reasons', () => {
    const keys = fc.constantFrom(...outline(CONFIG_JSON_SCHEMA).map((entry) => entry.path));
    const json = fc.jsonValue({ maxDepth: 3 });
    const tree = fc
      .array(fc.tuple(keys, json), { minLength: 1, maxLength: 4 })
      .map((settings) => settings.reduce<unknown>((root, [path, value]) => withValue(root, path, value), {}));
    fc.assert(
      fc.property(tree, (value) => void outcome(stringify(value))),
      { numRuns: 500 },
    );
  });

  it('an effective configuration without secrets, printed and loaded again, is the same', () => {
    const first = loadConfig({
      env: {
        COUNTERSIGN_HTTP_PORT: '1',
        COUNTERSIGN_POLICIES: '{"pay":{"bundle":"/pay"}}',
        COUNTERSIGN_DECISIONS_LOG_SINK: '{"file":"/d"}',
      },
    });
    writeFileSync(file, printConfig(first));
    expect(loadConfig({ file, env: {} })).toEqual(first);
  });
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A tree with one more value in it; `[]` becomes a list of one, `<name>` a key. */
function withValue(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (key === '[]') return [withValue(Array.isArray(tree) ? tree[0] : undefined, rest, value)];
  const base = isRecord(tree) ? tree : {};
  const name = key === '<name>' ? 'pay' : key;
  return { ...base, [name]: withValue(base[name], rest, value) };
}
