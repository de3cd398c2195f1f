import { X509Certificate } from 'node:crypto';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Examine } from '../cli/doctor.ts';
import type { Config } from '../config/schema.ts';
import type { KeysFound, PolicyFound } from '../contract/doctor.ts';
import { asCountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { type DoctorParts, examine } from '../doctor/examine.ts';
import { discover } from '../identify/keys-document.ts';
import { parseKeyRing } from '../identify/keys-jwk.ts';
import { loadFiles } from '../registry/load-files.ts';
import { problemText } from '../registry/problem.ts';
import { listFiles } from '../registry/source-files.ts';
import { httpFetchDated } from '../stores/http-fetch.ts';
import { readDocumentFile } from '../stores/read-file.ts';
import { inspectRedis } from '../stores/redis/inspect.ts';
import { createGeoipTools } from './command-tools.ts';
import { createDoctorProbes } from './doctor-probes.ts';
import { createReachProbes } from './doctor-reach.ts';
import { openPolicies } from './policies.ts';

type Issuer = Config['identity']['issuers'][number];

const REDIS_TIMEOUT_MS = 3000;
const LOOK_AGAIN_MS = 100;
const TEXT_BYTES_MAX = 1_048_576;
const KEYS_BYTES_MAX = 524_288;
const quiet = (): void => undefined;
/** What is wrong is told by the findings. */
const SILENT: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** What `countersign doctor` looks with: the loaders of the service itself, without its listeners, its state and its counters. */
export function createDoctorTools(clock: Clock): Examine {
  const geoip = createGeoipTools(clock);
  const parts: DoctorParts = {
    loadPolicies: (config) => loadPolicies(config, clock),
    inspectDatabase: (file) => geoip.inspect(file),
    askRedis: ({ url, sentinels, cluster }) =>
      inspectRedis({ url, sentinels, cluster, timeoutMs: REDIS_TIMEOUT_MS, now: () => clock.now(), monotonic: () => clock.monotonic() }),
    findKeys: (issuer) => findKeys(issuer, clock),
    ...createDoctorProbes(clock, SILENT),
    ...createReachProbes(clock, SILENT),
    checkRegistry: async (registry) => checkRegistry(registry),
    readText: async (file) => (await readDocumentFile(file, TEXT_BYTES_MAX)).toString('latin1'),
    tryListen,
    tryWrite,
    openFilesMax,
    now: () => clock.now() / 1000,
  };
  return (config) => examine(config, parts);
}

async function loadPolicies(config: Config, clock: Clock): Promise<ReadonlyMap<string, PolicyFound>> {
  // what is kept over a restart would stand in for what cannot be loaded, and loading would write there
  const bare: Config = { ...config, state: { ...config.state, directory: null } };
  const policies = openPolicies(bare, false, { clock, logger: SILENT, rollout: { accountOf: () => null, onDiff: quiet } });
  try {
    await policies.load();
    // a start does not wait for a slow bundle server, and whoever asks what is wrong has to know what it answers
    const untilMs = clock.monotonic() + Math.max(...[config.policy, ...Object.values(config.policies)].map((one) => one.polling.timeoutMs));
    const pending = () => policies.status().some(({ revision, lastError }) => revision === null && lastError === null);
    while (pending() && clock.monotonic() < untilMs) await setTimeout(LOOK_AGAIN_MS);
    return new Map(
      policies.status().map(({ name, revision, rules, routes, lastError, missingData = [], candidate: beside }): [string, PolicyFound] => {
        const candidate = beside === undefined ? null : { error: beside.canary.keyError ?? beside.lastError?.text ?? null };
        if (lastError !== null) return [name, { ok: false, code: lastError.code, text: lastError.text, candidate }];
        if (revision === null) return [name, { ok: false, code: 'policy_not_loaded', text: 'it was not loaded', candidate }];
        if (missingData.length > 0) return [name, { ok: false, code: 'data_not_loaded', text: missingData.join(', '), candidate }];
        return [name, { ok: true, revision, rules, routes, candidate }];
      }),
    );
  } finally {
    policies.stop();
  }
}

/** The keys as the service finds them, by the same readers. */
async function findKeys(issuer: Issuer, clock: Clock): Promise<KeysFound> {
  let step: 'discovery' | 'keys' = issuer.discovery ? 'discovery' : 'keys';
  const options = { timeoutMs: issuer.fetchTimeoutMs, bytesMax: KEYS_BYTES_MAX, allowInsecureHttp: issuer.allowInsecureHttp };
  try {
    const { jwksFile } = issuer;
    if (jwksFile !== null) {
      const keys = readKeys(await readDocumentFile(jwksFile, KEYS_BYTES_MAX), issuer);
      const { mtimeMs } = await stat(jwksFile);
      return { ok: true, ...keys, aheadMs: null, ageSeconds: Math.max(0, (clock.now() - mtimeMs) / 1000) };
    }
    const url = issuer.jwksUrl ?? (await discover(issuer.issuer, httpFetchDated, options));
    step = 'keys';
    const askedAtMs = clock.now();
    const { bytes, dateMs } = await httpFetchDated(url, options);
    // `Date` is cut to its second: half of one is the best guess of the rest
    const aheadMs = dateMs === null ? null : dateMs + 500 - (askedAtMs + clock.now()) / 2;
    return { ok: true, ...readKeys(bytes, issuer), aheadMs, ageSeconds: null };
  } catch (thrown) {
    return { ok: false, step, error: asCountersignError(thrown, 'keys_invalid').message };
  }
}

/** @throws CountersignError keys_invalid */
function readKeys(bytes: Buffer, { algorithms, kind }: Issuer) {
  const document: JsonValue = JSON.parse(bytes.toString('utf8'));
  const { keys } = parseKeyRing(document, new Set(algorithms), null, kind);
  const entries = isJsonObject(document) && Array.isArray(document['keys']) ? document['keys'] : [];
  const ends = entries.map(endOf).filter((one) => one !== null);
  return { keys: keys.length, endsAt: ends.length === 0 ? null : Math.min(...ends) };
}

/** `exp` of OpenID Federation, or the end of the certificate that a key has beside it; unix seconds. */
function endOf(key: JsonValue): number | null {
  if (!isJsonObject(key)) return null;
  const { exp, x5c } = key;
  if (typeof exp === 'number') return exp;
  const [first] = Array.isArray(x5c) ? x5c : [];
  if (typeof first !== 'string') return null;
  try {
    return Date.parse(new X509Certificate(Buffer.from(first, 'base64')).validTo) / 1000;
  } catch {
    // the service does not look at it either
    return null;
  }
}

function checkRegistry({ directory, hashKeys, entriesMax, bytesMax }: NonNullable<Config['registry']>) {
  const bounds = { entriesMax, bytesMax, hashKeyIds: hashKeys.map(({ id }) => id) };
  try {
    const loaded = (['records', 'revocations'] as const).map((part) => loadFiles(part, listFiles(directory, part), bounds));
    const problems = loaded.flatMap((one) => (one.ok ? [] : one.problems.map(problemText)));
    const [records] = loaded;
    const found = records?.ok === true ? records.records : undefined;
    return { problems, counted: `${found?.clients.length ?? 0} clients, ${found?.apiKeys.length ?? 0} API keys` };
  } catch (thrown) {
    return { problems: [`the folder could not be read (${codeOf(thrown)})`], counted: '' };
  }
}

function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOf(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** Of a file that is not there yet its folder counts. */
async function tryWrite(path: string): Promise<string | null> {
  try {
    await access(path, constants.W_OK);
    return null;
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') return codeOf(thrown);
  }
  return access(dirname(path), constants.W_OK).then(
    () => null,
    (thrown: unknown) => codeOf(thrown),
  );
}

/** The soft limit of this process; the service has the same where it is started the same way. */
async function openFilesMax(): Promise<number | null> {
  const text = await readFile('/proc/self/limits', 'latin1').catch(() => '');
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === undefined) return null;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
}
