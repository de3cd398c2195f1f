import { dirname, resolve } from 'node:path';
import { ConfigError, type ConfigProblem, pathText } from './config-error.ts';
import { type EnvironmentSetting, FILE_VARIABLE, readEnvironment } from './environment.ts';
import { readConfigFile } from './file.ts';
import { outline } from './outline.ts';
import { resolvePaths } from './paths.ts';
import { CONFIG_JSON_SCHEMA, type Config, configSchema } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a configuration comes from. */
export type ConfigSources = {
  /** What `--config` named; goes before `COUNTERSIGN_CONFIG`. */
  readonly file?: string | null | undefined;
  /** By default the environment of this process. */
  readonly env?: Environment | undefined;
  /** What relative paths of the environment and of the defaults are relative to; by default the working directory. */
  readonly cwd?: string | undefined;
};

/** The file of a configuration, and how it is read again with all that goes before and after it. */
export type ConfigFile = {
  /** Absolute. */
  readonly path: string;
  /** Throws what `loadConfig` throws. */
  readonly load: () => Config;
};

/** The file that `loadConfig` reads with these sources; null where none is named. */
export function configFile(sources: ConfigSources = {}): ConfigFile | null {
  const { env = process.env, cwd = process.cwd() } = sources;
  const named = sources.file ?? env[FILE_VARIABLE] ?? null;
  return named === null ? null : { path: resolve(cwd, named), load: () => loadConfig({ ...sources, env, cwd }) };
}

/**
 * The effective configuration: defaults < YAML file < environment. All paths in it are absolute: those of the file were relative
 * to its folder, those of the environment and the defaults to the working directory. `OPA_BIN` stands in for `policy.opaBin`.
 * Throws ConfigError with every problem there is.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const env = sources.env ?? process.env;
  const cwd = sources.cwd ?? process.cwd();
  const named = sources.file ?? env[FILE_VARIABLE] ?? null;
  const file = named === null ? null : resolve(cwd, named);
  const written = file === null ? {} : resolvePaths(readConfigFile(file), CONFIG_JSON_SCHEMA, dirname(file));
  const environment = readEnvironment(env, outline(CONFIG_JSON_SCHEMA));
  const merged = environment.settings.reduce(withSetting, isRecord(written) ? written : {});
  const parsed = configSchema.safeParse(withDefaults(merged, env));
  const problems = [...environment.problems, ...(parsed.success ? [] : problemsOf(parsed.error.issues, environment.settings))];
  if (problems.length > 0 || !parsed.success) throw new ConfigError('config_invalid', problems);
  return configSchema.parse(resolvePaths(parsed.data, CONFIG_JSON_SCHEMA, cwd));
}

/** The two defaults that the schema cannot say: the kind of a store that is only tuned, and OPA's own variable. */
function withDefaults(tree: Record<string, unknown>, env: Environment): Record<string, unknown> {
  const { store, policy = {}, policies = {} } = tree;
  const filled = { ...tree };
  if (isRecord(store) && !Object.hasOwn(store, 'kind')) filled['store'] = { kind: 'memory', ...store };
  const opaBin = env['OPA_BIN'] ?? '';
  // the name that is looked for on PATH anyway is no file of the working directory
  if (opaBin === '' || opaBin === 'opa') return filled;
  const withOpa = (one: unknown): unknown => (isRecord(one) ? { opaBin, ...one } : one);
  filled['policy'] = withOpa(policy);
  if (isRecord(policies)) filled['policies'] = Object.fromEntries(Object.entries(policies).map(([key, one]) => [key, withOpa(one)]));
  return filled;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The tree with one more value in it; what is no object on the way there is replaced. */
function withSetting(tree: Record<string, unknown>, setting: EnvironmentSetting): Record<string, unknown> {
  const [key, ...rest] = setting.path;
  if (key === undefined) return tree;
  const part = Object.hasOwn(tree, key) ? tree[key] : undefined;
  const value = rest.length === 0 ? setting.value : withSetting(isRecord(part) ? part : {}, { ...setting, path: rest });
  return { ...tree, [key]: value };
}

type SchemaIssue = {
  readonly code: string;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly issues?: readonly { readonly message: string }[];
};

/** zod's issues as problems: one an unknown key, with the name of the variable where the environment said so. */
function problemsOf(issues: readonly SchemaIssue[], settings: readonly EnvironmentSetting[]): ConfigProblem[] {
  return issues.flatMap((issue): ConfigProblem[] => {
    if (issue.keys !== undefined)
      return issue.keys.map((key) => ({ path: pathText([...issue.path, key]), message: 'is no key of the configuration' }));
    const message = issue.code === 'invalid_key' ? (issue.issues?.[0]?.message ?? issue.message) : issue.message;
    const source = settings.findLast((setting) => setting.path.every((part, index) => part === issue.path[index]));
    return [{ path: pathText(issue.path), message: source === undefined ? message : `${message} (set by ${source.variable})` }];
  });
}
