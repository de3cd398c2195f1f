import type { Config } from '../config/schema.ts';
import type { Finding, PolicyFound, ProbeFound } from '../contract/doctor.ts';
import { failed, fine, warning } from './finding.ts';

/* What is read or asked beside the checks of old: the decision log's collector and key, sources, certificates that clients are held against. */

type LogConfig = Config['decisions']['log'];
type Source = Config['sources'][number];

/** What a file of secrets came to. */
export type SecretFound = ProbeFound & {
  /** Whether everybody on this machine may read or replace it. */
  readonly open: boolean;
};

/** A document or a key set, loaded as the service does. */
export type DocumentFound = ProbeFound & {
  readonly check: 'trust_bundle' | 'crl' | 'denied_certificates' | 'signature_keys';
  readonly name: string;
};

/** How they are looked at; nothing of it changes anything, and all of it ends by itself. */
export type ReachParts = {
  /** Posts a batch without an event: no decision can be made of it. `status` where there was an answer. */
  readonly probeLogCollector: (http: NonNullable<LogConfig['http']>) => Promise<ProbeFound & { readonly status: number | null }>;
  /** Reads the key of the log's hashes as the service does at its start. */
  readonly readLogKey: (file: string) => Promise<SecretFound>;
  /** Asks the origin for `/`, without credentials: any answer shows name, address, connection and certificate. */
  readonly probeSource: (source: Source) => Promise<ProbeFound>;
  /** Trust bundles, revocation lists, refused certificates, keys of message signatures. */
  readonly loadDocuments: (config: Config) => Promise<readonly DocumentFound[]>;
};

type Check = readonly [check: string, look: () => Promise<readonly Finding[]>];

/** Each for itself; all may be looked at at once. */
export function reachChecks(config: Config, parts: ReachParts): readonly Check[] {
  const { log } = config.decisions;
  const { http } = log;
  const { keyFile } = log.privacy;
  return [
    ['log_collector', async () => (http === null ? [] : [judgeLogCollector(await parts.probeLogCollector(http), log.audit)])],
    ['log_key', async () => (keyFile === null ? [] : [judgeLogKey(await parts.readLogKey(keyFile))])],
    ['source', () => Promise.all(config.sources.map(async (source) => judgeSource(source.name, await parts.probeSource(source))))],
    ['document', async () => (await parts.loadDocuments(config)).map(judgeDocument)],
  ];
}

/** A batch without an event is unusual: who refuses it for its form has answered all the same. */
const FORM_REFUSED: ReadonlySet<number> = new Set([400, 422]);

/** By a batch without an event. */
export function judgeLogCollector({ error, status }: ProbeFound & { readonly status: number | null }, audit: LogConfig['audit']): Finding {
  if (error === null) return fine('log_collector', null, 'it takes batches');
  if (status !== null && FORM_REFUSED.has(status))
    return fine('log_collector', null, `it answers, and refuses a batch without events (status ${status})`);
  const remedy =
    'look at `decisions.log.http.url` (the whole URL, of collectors of the OPA kind with /logs), its `credentials` and `tls`, and whether this machine reaches it';
  if (audit === 'required')
    return failed('log_collector', null, `it takes no batches: ${error}; with \`audit: required\` every decision is a deny`, remedy);
  return warning(
    'log_collector',
    null,
    `it takes no batches: ${error}; decisions go on, and their events are lost once the buffer is full`,
    remedy,
  );
}

/** Of the hashes in the decision log: without it the service does not start. */
export function judgeLogKey({ error, open }: SecretFound): Finding {
  const key = 'decisions.log.privacy.keyFile';
  if (error !== null)
    return failed('log_key', key, `it cannot be used: ${error}`, 'name a file with 32 hexadecimal digits at least: `openssl rand -hex 32`');
  if (open)
    return warning('log_key', key, 'everybody on this machine may read it or write it', 'leave it to the user of the service: chmod 400');
  return fine('log_key', key, 'it can be used');
}

/** Of the one beside the policy; nothing where there is none. The policy answers without it. */
export function judgeCandidate(name: string, { candidate = null }: PolicyFound): Finding[] {
  if (candidate === null) return [];
  const { error } = candidate;
  if (error === null) return [fine('candidate', name, 'it is loaded')];
  return [
    warning('candidate', name, `it cannot be used: ${error}`, 'look at `candidate.bundle` and `candidate.canary.keyFile` of the policy'),
  ];
}

/** By a question about nothing. */
export function judgeSource(name: string, { error }: ProbeFound): Finding {
  if (error === null) return fine('source', name, 'it answers');
  return failed(
    'source',
    name,
    `it cannot be asked: ${error}`,
    'look at its `url`, `caFile` and `headers`, at `allowPrivate` where its address is not a public one, and whether this machine reaches it',
  );
}

const WHERE = {
  trust_bundle: '`identity.certificates.trustBundles`',
  crl: '`identity.certificates.crl.sources`: a list counts only by the signature of a bundle',
  denied_certificates: '`identity.certificates.denied.file`',
  signature_keys: '`identity.signatures.profiles`',
} as const;

/** One that could not be loaded vouches for nobody, or closes what is held against it. */
export function judgeDocument({ check, name, error }: DocumentFound): Finding {
  if (error === null) return fine(check, name, 'it is loaded');
  return failed(check, name, `it cannot be used: ${error}`, `look at ${WHERE[check]}, and whether this machine reaches it`);
}
