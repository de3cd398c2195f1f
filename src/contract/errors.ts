import { CODES, type CodeFacts, type ErrorCode } from './codes.ts';

/**
 * The one error class: a failure to decide, to start or to answer, never a refusal (a refusal is a value).
 * `field` names what was wrong and may be shown; `cause` goes to the log, never to the wire.
 */
export class CountersignError extends Error {
  readonly code: ErrorCode;
  /** The name (never the value) of what was wrong, for example `source.ip`. */
  readonly field: string | null;

  constructor(code: ErrorCode, options: { field?: string; detail?: string; cause?: unknown } = {}) {
    const shown = options.field === undefined ? CODES[code].text : `${CODES[code].text}: ${options.field}`;
    super(options.detail === undefined ? shown : `${shown} (${options.detail})`, { cause: options.cause });
    this.name = 'CountersignError';
    this.code = code;
    this.field = options.field ?? null;
  }

  /** HTTP status, gRPC code, label and text of this error's code. */
  get facts(): CodeFacts {
    return CODES[this.code];
  }
}

/** Any thrown value as our error: WebAssembly throws RangeErrors, sockets throw Errors. */
export function asCountersignError(thrown: unknown, code: ErrorCode): CountersignError {
  return thrown instanceof CountersignError ? thrown : new CountersignError(code, { cause: thrown });
}
