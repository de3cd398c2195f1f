/* What commands take from the environment without reading a configuration. */

type Environment = Readonly<Record<string, string | undefined>>;

/** The `opa` binary that `policy.opaBin` would name by its variable, or null. */
export function readOpaBin(env: Environment = process.env): string | null {
  return env['COUNTERSIGN_POLICY_OPA_BIN'] ?? null;
}

/** A secret in a variable that the caller names, or null where it is not set. */
export function readSecretVariable(name: string, env: Environment = process.env): string | null {
  const value = env[name];
  return value === undefined || value === '' ? null : value;
}
