/** One thing that is wrong with the configuration. The message never holds a value, since a value may be a secret. */
export type ConfigProblem = {
  /** Where: `peps[0].trusts[1]`, the name of a variable, or the name of the file. */
  readonly path: string;
  readonly message: string;
};

/** The configuration that keeps the service from starting, with every problem at once. */
export class ConfigError extends Error {
  /** Codes of `contract/codes.ts`: the file could not be read, or what is in it is wrong. */
  readonly code: 'config_unreadable' | 'config_invalid';
  readonly problems: readonly ConfigProblem[];

  constructor(code: 'config_unreadable' | 'config_invalid', problems: readonly ConfigProblem[]) {
    super(['The configuration cannot be used:', ...problems.map((one) => `  ${one.path}: ${one.message}`)].join('\n'));
    this.name = 'ConfigError';
    this.code = code;
    this.problems = problems;
  }
}

/** A path as it is shown: `peps[0].name`. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_]\w*$/.test(String(part))) text += text === '' ? String(part) : `.${String(part)}`;
    else text += `[${JSON.stringify(String(part))}]`;
  }
  return text === '' ? '(the whole)' : text;
}
