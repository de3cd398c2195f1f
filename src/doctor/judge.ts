import type { DatabaseFound, Finding, KeysFound, ListFound, PolicyFound, ProbeFound, RedisFound } from '../contract/doctor.ts';
import { DAY_SECONDS, daysText, failed, fine, warning } from './finding.ts';

/* What is said of what was found, one function a check; each pure. */

const DATABASE_OLD_SECONDS = 45 * DAY_SECONDS;
const KEYS_SOON_SECONDS = 30 * DAY_SECONDS;
const KEYS_FILE_OLD_SECONDS = 180 * DAY_SECONDS;

/** @param name of the policy in the configuration */
export function judgePolicy(name: string, found: PolicyFound): Finding {
  if (!found.ok) {
    return failed(
      'policy',
      name,
      `it is refused: ${found.code}: ${found.text}`,
      REMEDY_OF_POLICY.get(found.code) ??
        'look the code up in docs/codes.md; `countersign policy check` and `policy test` tell more of a folder',
    );
  }
  return fine('policy', name, `revision ${found.revision}, ${found.rules} rules, ${found.routes} routes`);
}

const REMEDY_OF_POLICY: ReadonlyMap<string, string> = new Map([
  ['opa_missing', 'install opa, or name it by `policy.opaBin` or OPA_BIN; or use a compiled bundle (`countersign policy build`)'],
  ['bundle_unreadable', 'name a folder, a `.tar.gz` or a bundle server that can be read, with its credentials and CA'],
  ['data_not_loaded', 'add the data that `policy.requiredData` names to the bundle'],
]);

/** An old database is one that most publishers have replaced by now. */
export function judgeDatabase(file: string, { state, error, ageSeconds }: DatabaseFound): Finding {
  if (state !== 'ready') {
    return failed(
      'geoip',
      file,
      state === 'missing' ? 'the file is not there' : `it cannot be used: ${error ?? state}`,
      'fetch it anew: `countersign geoip update`',
    );
  }
  if (ageSeconds === null) return fine('geoip', file, 'ready');
  const age = `built ${daysText(ageSeconds)} ago`;
  if (ageSeconds > DATABASE_OLD_SECONDS) return warning('geoip', file, age, 'fetch a newer one: `countersign geoip update`');
  return fine('geoip', file, age);
}

/** @param toleratedMs what the clock of this machine may be off */
export function judgeRedis(
  found: RedisFound,
  { deadlineMs, toleratedMs }: { readonly deadlineMs: number; readonly toleratedMs: number },
): Finding[] {
  if (!found.ok) {
    return [
      failed(
        'redis',
        null,
        `it does not answer: ${found.error}`,
        'look at `store.url` (host, port, TLS by rediss://, user and password), at the network, and at what the user may do',
      ),
    ];
  }
  const { tookMs, version, evicts } = found;
  const findings: Finding[] = [];
  const answer = `${version === null ? 'it answers' : `version ${version} answers`} in ${tookMs.toFixed(1)} ms`;
  if (tookMs > deadlineMs)
    findings.push(
      warning(
        'redis',
        null,
        `${answer}, and \`store.deadlineMs\` is ${deadlineMs}`,
        'bring it nearer, or raise `store.deadlineMs` below `decisions.deadlineMs`',
      ),
    );
  else findings.push(fine('redis', null, answer));
  if (evicts !== null && evicts !== 'noeviction') {
    findings.push(
      warning(
        'redis',
        'maxmemory-policy',
        `it is ${evicts}: counters and used proofs vanish where memory is short`,
        'set maxmemory-policy to noeviction, and watch used_memory',
      ),
    );
  }
  findings.push(judgeClock('redis', found.aheadMs, toleratedMs));
  return findings;
}

/** @param now unix seconds @param toleratedMs `clockSkewSeconds` of the issuer */
export function judgeKeys(
  issuer: string,
  found: KeysFound,
  { now, toleratedMs }: { readonly now: number; readonly toleratedMs: number },
): Finding[] {
  if (!found.ok) {
    const what = found.step === 'discovery' ? 'its metadata cannot be used' : 'its keys cannot be used';
    const remedy =
      found.step === 'discovery'
        ? 'look at `issuer` (it must be the very text of the metadata), and whether this machine reaches it; or name the keys by jwksUrl'
        : 'look at jwksUrl or jwksFile, at `algorithms`, and whether this machine reaches it';
    return [failed('issuer', issuer, `${what}: ${found.error}`, remedy)];
  }
  const { keys, ageSeconds, endsAt, aheadMs } = found;
  const findings: Finding[] = [];
  const has = `${keys === 1 ? '1 key' : `${keys} keys`}${ageSeconds === null ? '' : `, of a file that is ${daysText(ageSeconds)} old`}`;
  if (endsAt !== null && endsAt <= now) findings.push(warning('issuer', issuer, `${has}, one of them over`, 'have the issuer take it out'));
  else if (endsAt !== null && endsAt - now < KEYS_SOON_SECONDS) {
    findings.push(
      warning(
        'issuer',
        issuer,
        `${has}, one of them ends in ${daysText(endsAt - now)}`,
        'see that the issuer publishes the next one before',
      ),
    );
  } else if (ageSeconds !== null && ageSeconds > KEYS_FILE_OLD_SECONDS) {
    findings.push(warning('issuer', issuer, has, 'replace the keys now and then, or name them by jwksUrl so that they are followed'));
  } else findings.push(fine('issuer', issuer, has));
  if (aheadMs !== null) findings.push(judgeClock(issuer, aheadMs, toleratedMs));
  return findings;
}

/** `Date` of HTTP is in whole seconds, and the way takes time too. */
const CLOCK_NOISE_MS = 1500;

/** Of the clock of another machine. @param aheadMs of the other one */
export function judgeClock(whose: string, aheadMs: number, toleratedMs: number): Finding {
  const off = Math.abs(aheadMs);
  const said = `this machine is ${(off / 1000).toFixed(1)} s ${aheadMs > 0 ? 'behind' : 'ahead'}`;
  const remedy = 'set the clocks by NTP (chrony, systemd-timesyncd), here first';
  if (off > Math.max(toleratedMs, CLOCK_NOISE_MS))
    return failed('clock', whose, `${said}, which is more than the ${toleratedMs / 1000} s that are tolerated`, remedy);
  if (off > CLOCK_NOISE_MS && off > toleratedMs / 2) return warning('clock', whose, said, remedy);
  return fine('clock', whose, said);
}

/** @param openFiles the soft limit; null where it is not known @param wanted by the listeners and what the service holds open */
export function judgeFileLimit(openFiles: number | null, wanted: number): Finding {
  if (openFiles === null) return fine('file_limit', null, 'this system does not say how many files may be open');
  const said = Number.isFinite(openFiles) ? `${openFiles} open files` : 'open files without a limit';
  if (openFiles >= wanted) return fine('file_limit', null, said);
  const remedy = `raise it to ${wanted} at least: LimitNOFILE= of systemd, \`ulimit -n\`, or the defaults of the container runtime`;
  return warning('file_limit', null, `${said}; connections beyond them are refused by the system, and ${wanted} may be wanted`, remedy);
}

/** @param problem `EADDRINUSE` and the like, or null where it is free */
export function judgePort(listener: string, where: string, problem: string | null): Finding {
  if (problem === null) return fine('port', listener, `${where} is free`);
  if (problem === 'EADDRINUSE')
    return warning(
      'port',
      listener,
      `${where} is in use`,
      'if this service runs here it is its own; else stop what listens there, or choose another port',
    );
  const remedy =
    problem === 'EACCES'
      ? 'ports below 1024 need a capability (CAP_NET_BIND_SERVICE): choose another port'
      : 'name an address of this machine';
  return failed('port', listener, `${where} cannot be listened on: ${problem}`, remedy);
}

/** @param problem code of the system, or null where it may be written */
export function judgeWritable(key: string, problem: string | null): Finding {
  if (problem === null) return fine('writable', key, 'it may be written');
  return failed('writable', key, `it may not be written: ${problem}`, 'make the folder, and give it to the user of the service');
}

/** What is not there counts as unknown, so a list that was never loaded closes what asks for it. */
export function judgeList({ name, state, tooOld, entries, error }: ListFound): Finding {
  const why = error === null ? '' : `: ${error}`;
  if (state === 'never_loaded')
    return failed(
      'list',
      name,
      `it could not be loaded${why}`,
      'look at its `file` or `url` and its `format`; `countersign lists check` on a file tells its bad lines',
    );
  if (tooOld) return warning('list', name, `it is older than its \`ageMaxSeconds\`${why}`, 'see why its source brings no newer one');
  if (state !== 'ready') return warning('list', name, `it is ${state}${why}`, 'look at `/status` of the running service');
  return fine('list', name, `${entries} entries`);
}

/** By a question about a token that nobody has. */
export function judgeIntrospection(issuer: string, { error }: ProbeFound): Finding {
  if (error === null) return fine('introspection', issuer, 'it answers, and takes our credential');
  return failed(
    'introspection',
    issuer,
    `it cannot be asked: ${error}`,
    'look at `introspection.endpoint`, at `clientId` and its secret or key, and whether this machine reaches it',
  );
}

/** Of our own: without them the service does not start. @param key of the configuration */
export function judgeOwnKeys(key: string, { error }: ProbeFound): Finding {
  if (error === null) return fine('own_keys', key, 'they can be used');
  return failed(
    'own_keys',
    key,
    `they cannot be used: ${error}`,
    'name a file that the user of the service may read, with a key of the form that docs/configuration.md says',
  );
}

/** By an export without spans. */
export function judgeCollector({ error }: ProbeFound): Finding {
  if (error === null) return fine('collector', null, 'it takes spans');
  return warning(
    'collector',
    null,
    `it does not take spans: ${error}; decisions go on without`,
    'look at `tracing.endpoint` (the whole URL, most often with /v1/traces), at its headers, and whether this machine reaches it',
  );
}

/** @param problems as `countersign registry check` says them; empty where it is sound */
export function judgeRegistry(problems: readonly string[], counted: string): Finding {
  const [first] = problems;
  if (first === undefined) return fine('registry', null, counted);
  const more = problems.length === 1 ? '' : `, and ${problems.length - 1} more`;
  return failed('registry', null, `${first}${more}`, '`countersign registry check` on the folder tells all of them');
}
