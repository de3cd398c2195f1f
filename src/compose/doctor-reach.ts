import { stat } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { Config } from '../config/schema.ts';
import type { ProbeFound } from '../contract/doctor.ts';
import { asCountersignError } from '../contract/errors.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import type { DocumentFound, ReachParts } from '../doctor/reach.ts';
import { createSourceHeaders } from '../enrich/sources/credentials.ts';
import { exchangeOf } from '../enrich/sources/sources.ts';
import { parseUrlTemplate } from '../formats/url-template.ts';
import { createKeySetRules } from '../identify/signature/key-set-rules.ts';
import { createCertificateTrust } from '../identify/trust/certificate-trust.ts';
import type { ExchangeFailure } from '../stores/guarded-exchange.ts';
import { httpFetch } from '../stores/http-fetch.ts';
import { postLogs } from '../stores/log-post.ts';
import { readDocumentFile } from '../stores/read-file.ts';
import { createSourceStores } from '../stores/source-stores.ts';
import { readLogKey } from './recorder.ts';

const PEM_BYTES_MAX = 1_048_576;
const TOKEN_BYTES_MAX = 16_384;
const ANYBODY = 0o007;
/** The other failures are those of an answer, which was there then. */
const NOT_REACHED: ReadonlySet<ExchangeFailure> = new Set<ExchangeFailure>([
  'name_unknown',
  'resolution',
  'address_not_allowed',
  'certificate',
  'connection',
  'timeout',
]);

/** What of the doctor reaches for what the service writes to, asks, and holds certificates against. */
export function createReachProbes(clock: Clock, logger: Logger): ReachParts {
  const parts = { clock, logger, readFile: readDocumentFile, httpFetch };
  return {
    async probeLogCollector({ url, credentials, tls, timeoutMs, allowInsecureHttp }) {
      try {
        const [token, ca, cert, key] = await Promise.all([
          textOf(credentials.tokenFile, TOKEN_BYTES_MAX),
          textOf(tls.caFile, PEM_BYTES_MAX),
          textOf(tls.certFile, PEM_BYTES_MAX),
          textOf(tls.keyFile, PEM_BYTES_MAX),
        ]);
        const shown = { token: token?.trim() ?? null, tls: { ca, cert, key } };
        const { signal } = new AbortController();
        const { status } = await postLogs({ url, body: gzipSync('[]'), ...shown, timeoutMs, allowInsecureHttp, signal });
        return { error: status >= 200 && status < 300 ? null : `status ${status}`, status };
      } catch (thrown) {
        return { error: asCountersignError(thrown, 'fetch_failed').message, status: null };
      }
    },

    async readLogKey(file) {
      try {
        await readLogKey(file);
        return { error: null, open: ((await stat(file)).mode & ANYBODY) !== 0 };
      } catch (thrown) {
        return { error: asCountersignError(thrown, 'config_invalid').message, open: false };
      }
    },

    probeSource: (source) => probeSource(source, clock, logger),

    async loadDocuments({ identity }) {
      const { certificates, signatures } = identity;
      const trust = createCertificateTrust(certificates, parts);
      const timing = { keyWaitMs: identity.keyWaitMs, clockSkewSeconds: signatures.clockSkewSeconds };
      const keySets = signatures.profiles.map((profile) => ({ name: profile.name, keys: createKeySetRules(profile, timing, parts).keys }));
      try {
        await Promise.all([trust.start(), ...keySets.map(({ keys }) => keys.start())]);
        const { trustBundles, crls, denied } = trust.status();
        const wrong = (state: string, lastError: string | null): string | null => (state === 'ready' ? null : (lastError ?? state));
        return [
          ...trustBundles.map(
            ({ name, state, lastError }): DocumentFound => ({ check: 'trust_bundle', name, error: wrong(state, lastError) }),
          ),
          ...crls.map(({ name, state, lastError }): DocumentFound => ({ check: 'crl', name, error: wrong(state, lastError) })),
          ...(certificates.denied.file === null
            ? []
            : [{ check: 'denied_certificates' as const, name: 'file', error: wrong(denied.state, null) }]),
          ...keySets.map(({ name, keys }): DocumentFound => {
            const { state, lastError } = keys.status();
            return { check: 'signature_keys', name, error: wrong(state, lastError) };
          }),
        ];
      } finally {
        trust.stop();
        for (const { keys } of keySets) keys.stop();
      }
    },
  };
}

/** Through the guard of the service, which is what an address has to pass. */
async function probeSource(source: Config['sources'][number], clock: Clock, logger: Logger): Promise<ProbeFound> {
  const template = parseUrlTemplate(source.url);
  if ('problem' in template) return { error: template.problem };
  const headers = await createSourceHeaders(source.headers, { readFile: readDocumentFile, clock }).current();
  if (headers === null) return { error: 'a secret of its headers cannot be read' };
  const stores = createSourceStores(() => clock.monotonic());
  const exchange = await exchangeOf(source, template.origin, { ...stores, logger });
  if (exchange === null) return { error: '`caFile` cannot be read' };
  try {
    const answer = await exchange.send({ method: 'GET', target: '/', headers: {}, body: null });
    return { error: answer.ok || !NOT_REACHED.has(answer.failure) ? null : answer.failure };
  } finally {
    exchange.stop();
  }
}

async function textOf(file: string | null, bytesMax: number): Promise<string | null> {
  return file === null ? null : (await readDocumentFile(file, bytesMax)).toString('utf8');
}
