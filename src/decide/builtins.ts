import { createHash } from 'node:crypto';

/*
 * Builtins that OPA's Wasm leaves to the host. Only pure ones, so that a record replays to the same decision, and only ones that no
 * request can make slow: a policy that needs another one is refused at load by its name.
 */

/** Those that npm opa-wasm brings itself and that we let through; `regex.split` (backtracking) and `yaml.*` are not among them. */
const OF_THE_PACKAGE = ['sprintf', 'json.is_valid'] as const;

/** Those that we add. Undefined means undefined in Rego, as for a wrong type in OPA. */
export const HOST_BUILTINS: Readonly<Record<string, (...values: unknown[]) => unknown>> = {
  'crypto.sha256': (text) => (typeof text === 'string' ? createHash('sha256').update(text).digest('hex') : undefined),
};

/** Why the usual ones are refused, for the text of the refusal. */
const REFUSED: Readonly<Record<string, string>> = {
  'http.send': 'policies ask nobody',
  'time.now_ns': 'the time is input.time',
  'rand.intn': 'a decision must replay',
  'uuid.rfc4122': 'a decision must replay',
  'opa.runtime': 'a decision must not depend on the host',
  'net.lookup_ip_addr': 'policies ask nobody',
  'regex.split': 'it can be made slow by input',
};

const ALLOWED: ReadonlySet<string> = new Set([...OF_THE_PACKAGE, ...Object.keys(HOST_BUILTINS)]);

/** The builtins of `needed` that are not there, each with why where that is known. */
export function missingBuiltins(needed: readonly string[]): string[] {
  return needed.filter((name) => !ALLOWED.has(name)).map((name) => (Object.hasOwn(REFUSED, name) ? `${name}: ${REFUSED[name]}` : name));
}
