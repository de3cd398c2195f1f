import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';

/** What the codes of the YAML parser mean in a configuration; its own messages repeat the text, which may hold a secret. */
const YAML_TEXTS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the same key twice',
  MULTIPLE_DOCS: 'more than one document',
  BAD_INDENT: 'wrong indentation',
  TAB_AS_INDENT: 'a tab as indentation',
  MISSING_CHAR: 'a character is missing, such as a quote or a bracket',
  BAD_ALIAS: 'an alias that does not exist',
};

/**
 * The mapping in a YAML file (1.2); an empty file is an empty mapping.
 * Throws ConfigError: `config_unreadable` where the file cannot be read, `config_invalid` where it is no YAML mapping.
 */
export function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  const lines = new LineCounter();
  // its own warnings on stderr would repeat keys; errors and warnings are read below
  const document = parseDocument(readText(path), { uniqueKeys: true, prettyErrors: false, logLevel: 'error', lineCounter: lines });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const problems = faults.map((fault) => {
      const at = lines.linePos(fault.pos[0]);
      return { path, message: `line ${at.line}, column ${at.col}: ${YAML_TEXTS[fault.code] ?? `not valid YAML (${fault.code})`}` };
    });
    throw new ConfigError('config_invalid', problems);
  }
  const value = toValue(path, document) ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigError('config_invalid', [{ path, message: 'must be a mapping of keys to values' }]);
  }
  return Object.fromEntries(Object.entries(value));
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
    const message =
      code === 'ENOENT' ? 'does not exist' : code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not UTF-8' : `could not be read (${code})`;
    throw new ConfigError('config_unreadable', [{ path, message }]);
  }
}

function toValue(path: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new ConfigError('config_invalid', [{ path, message: 'expands to too much: too many aliases' }]);
  }
}
