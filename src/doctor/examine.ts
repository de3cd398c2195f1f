import type { Config } from '../config/schema.ts';
import type { DatabaseFound, Finding, KeysFound, ListFound, PolicyFound, ProbeFound, RedisFound } from '../contract/doctor.ts';
import { certificateFiles } from './certificate-files.ts';
import { judgeCertificates, unreadableCertificate } from './certificates.ts';
import { failed } from './finding.ts';
import {
  judgeCollector,
  judgeDatabase,
  judgeFileLimit,
  judgeIntrospection,
  judgeKeys,
  judgeList,
  judgeOwnKeys,
  judgePolicy,
  judgePort,
  judgeRedis,
  judgeRegistry,
  judgeWritable,
} from './judge.ts';
import { judgeCandidate, type ReachParts, reachChecks } from './reach.ts';

type Issuer = Config['identity']['issuers'][number];
type RedisConfig = Extract<Config['store'], { kind: 'redis' }>;

/** How the world is looked at; nothing of it changes anything, and all of it ends by itself. */
export type DoctorParts = ReachParts & {
  /** Loads all policies as the service does, without what is kept over a restart. */
  readonly loadPolicies: (config: Config) => Promise<ReadonlyMap<string, PolicyFound>>;
  readonly inspectDatabase: (file: string) => Promise<DatabaseFound>;
  readonly askRedis: (store: RedisConfig) => Promise<RedisFound>;
  readonly findKeys: (issuer: Issuer) => Promise<KeysFound>;
  /** Loads our own keys as the service does at its start, by the keys of the configuration; nothing where none are configured. */
  readonly loadOwnKeys: (config: Config) => Promise<ReadonlyMap<string, ProbeFound>>;
  /** Asks about a token that nobody has. */
  readonly probeIntrospection: (issuer: Issuer) => Promise<ProbeFound>;
  /** Sends an export without spans. */
  readonly probeCollector: (tracing: NonNullable<Config['tracing']>, endpoint: string) => Promise<ProbeFound>;
  readonly loadLists: (config: Config) => Promise<readonly ListFound[]>;
  readonly checkRegistry: (
    registry: NonNullable<Config['registry']>,
  ) => Promise<{ readonly problems: readonly string[]; readonly counted: string }>;
  /** Text of a file; rejects where it cannot be read. */
  readonly readText: (file: string) => Promise<string>;
  /** Code of the system why this cannot be listened on, or null. */
  readonly tryListen: (host: string, port: number) => Promise<string | null>;
  /** Code of the system why nothing can be written there, or null. */
  readonly tryWrite: (path: string) => Promise<string | null>;
  /** The soft limit of open files, or null. */
  readonly openFilesMax: () => Promise<number | null>;
  /** Unix seconds. */
  readonly now: () => number;
};

/** Looks at everything that a configuration needs, at all of it at once. Never rejects. */
export async function examine(config: Config, parts: DoctorParts): Promise<readonly Finding[]> {
  const checks: readonly (readonly [check: string, look: () => Promise<readonly Finding[]>])[] = [
    ['policy', () => policies(config, parts)],
    ['geoip', () => databases(config, parts)],
    ['redis', () => redis(config, parts)],
    ['issuer', () => issuers(config, parts)],
    ['introspection', () => introspection(config, parts)],
    ['list', async () => (config.network.lists.length === 0 ? [] : (await parts.loadLists(config)).map(judgeList))],
    ['registry', () => registry(config, parts)],
    ['own_keys', async () => [...(await parts.loadOwnKeys(config))].map(([key, found]) => judgeOwnKeys(key, found))],
    ['certificate', () => certificates(config, parts)],
    ['collector', () => collector(config, parts)],
    ...reachChecks(config, parts),
    ['port', () => ports(config, parts)],
    ['writable', () => writable(config, parts)],
    ['file_limit', async () => [judgeFileLimit(await parts.openFilesMax(), filesWanted(config))]],
  ];
  const found = await Promise.all(checks.map(([check, look]) => look().catch((): Finding[] => [broken(check)])));
  return found.flat();
}

async function policies(config: Config, { loadPolicies }: DoctorParts): Promise<Finding[]> {
  return [...(await loadPolicies(config))].flatMap(([name, found]) => [judgePolicy(name, found), ...judgeCandidate(name, found)]);
}

function databases({ network }: Config, { inspectDatabase }: DoctorParts): Promise<Finding[]> {
  const files = network.databases.map((one) => (typeof one === 'string' ? one : one.file));
  return Promise.all(files.map(async (file) => judgeDatabase(file, await inspectDatabase(file))));
}

async function redis({ store, identity }: Config, { askRedis }: DoctorParts): Promise<Finding[]> {
  if (store.kind !== 'redis') return [];
  // replicas and Redis together say what was first: where they differ by more than a proof may, one of two can be used twice
  const toleratedMs = identity.dpop.clockSkewSeconds * 1000;
  return judgeRedis(await askRedis(store), { deadlineMs: store.deadlineMs, toleratedMs });
}

async function issuers({ identity }: Config, { findKeys, now }: DoctorParts): Promise<Finding[]> {
  // one that is only asked about opaque tokens signs nothing
  const signing = identity.issuers.filter(({ jwksUrl, jwksFile, discovery }) => jwksUrl !== null || jwksFile !== null || discovery);
  const found = await Promise.all(
    signing.map(async (issuer) =>
      judgeKeys(issuer.issuer, await findKeys(issuer), { now: now(), toleratedMs: issuer.clockSkewSeconds * 1000 }),
    ),
  );
  return found.flat();
}

function introspection({ identity }: Config, { probeIntrospection }: DoctorParts): Promise<Finding[]> {
  const asked = identity.issuers.filter((one) => one.introspection !== null);
  return Promise.all(asked.map(async (issuer) => judgeIntrospection(issuer.issuer, await probeIntrospection(issuer))));
}

async function collector({ tracing }: Config, { probeCollector }: DoctorParts): Promise<Finding[]> {
  return tracing === null || tracing.endpoint === null ? [] : [judgeCollector(await probeCollector(tracing, tracing.endpoint))];
}

async function registry({ registry: configured }: Config, { checkRegistry }: DoctorParts): Promise<Finding[]> {
  if (configured === null) return [];
  const { problems, counted } = await checkRegistry(configured);
  return [judgeRegistry(problems, counted)];
}

function certificates(config: Config, { readText, now }: DoctorParts): Promise<Finding[]> {
  return Promise.all(
    certificateFiles(config, { spiffe: false }).map(async (one) => {
      try {
        const keyPem = one.keyFile === null ? null : await readText(one.keyFile);
        return judgeCertificates(one, { pem: await readText(one.file), keyPem }, now());
      } catch {
        // what a reader says of a file may quote it
        return unreadableCertificate(one);
      }
    }),
  );
}

function ports(config: Config, { tryListen }: DoctorParts): Promise<Finding[]> {
  return Promise.all(
    (['http', 'grpc', 'operations'] as const).map(async (listener) => {
      const { host, port } = config[listener];
      return judgePort(listener, `${host.includes(':') ? `[${host}]` : host}:${port}`, await tryListen(host, port));
    }),
  );
}

function writable({ state, decisions }: Config, { tryWrite }: DoctorParts): Promise<Finding[]> {
  const { sink } = decisions.log;
  const wanted: (readonly [key: string, path: string])[] = [];
  if (state.directory !== null) wanted.push(['state.directory', state.directory]);
  if (typeof sink === 'object') wanted.push(['decisions.log.sink.file', sink.file]);
  return Promise.all(wanted.map(async ([key, path]) => judgeWritable(key, await tryWrite(path))));
}

/** One for each request at work, as many for those who only keep a connection, and some hundreds for all else. */
function filesWanted({ http }: Config): number {
  return 2 * http.inFlightMax + 512;
}

function broken(check: string): Finding {
  return failed(check, null, 'it could not be looked at', 'look at the log of the service, and report this as a fault of the doctor');
}
