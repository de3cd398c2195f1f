import type { ProbeFound } from '../contract/doctor.ts';
import { asCountersignError } from '../contract/errors.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import type { DoctorParts } from '../doctor/examine.ts';
import { createAddressLists } from '../enrich/lists/address-lists.ts';
import { createSourceHeaders } from '../enrich/sources/credentials.ts';
import { createIntrospectionEndpoint } from '../identify/introspection/endpoint.ts';
import { createOtlpEncoder } from '../record/tracing/otlp.ts';
import { loadHashKeys } from '../registry/hash-keys.ts';
import { readChangedFile } from '../stores/changed-file.ts';
import { formPost } from '../stores/form-post.ts';
import { httpFetch, httpFetchChanged } from '../stores/http-fetch.ts';
import { httpSend } from '../stores/http-send.ts';
import { readDocumentFile } from '../stores/read-file.ts';
import { openAssertion } from './assertion.ts';

/** A token that nobody has: the answer is that it is not active, where our credential is taken. */
const NO_TOKEN = 'countersign-doctor-asks-about-no-token';
const ANSWER_BYTES_MAX = 65_536;

/** What of the doctor asks other systems for nothing, to see whether they answer. */
export function createDoctorProbes(
  clock: Clock,
  logger: Logger,
): Pick<DoctorParts, 'probeIntrospection' | 'probeCollector' | 'loadLists' | 'loadOwnKeys'> {
  return {
    async probeIntrospection(issuer) {
      if (issuer.introspection === null) return { error: null };
      const parts = { clock, logger, httpFetch, formPost, readFile: readDocumentFile };
      const endpoint = createIntrospectionEndpoint(issuer, issuer.introspection, parts);
      try {
        await endpoint.ask(NO_TOKEN, AbortSignal.timeout(2 * issuer.introspection.timeoutMs + issuer.fetchTimeoutMs));
        return { error: null };
      } catch (thrown) {
        return { error: asCountersignError(thrown, 'introspection_invalid').message };
      }
    },

    async loadOwnKeys(config) {
      const found = new Map<string, ProbeFound>();
      const note = async (key: string, load: () => Promise<unknown>): Promise<void> => {
        const error = await load().then(
          () => null,
          (thrown: unknown) => asCountersignError(thrown, 'config_invalid').message,
        );
        found.set(key, { error });
      };
      const { assertion, registry } = config;
      if (assertion !== null) await note('assertion', async () => (await openAssertion(config, { clock, logger })).stop());
      if (registry !== null) await note('registry.hashKeys', () => loadHashKeys(registry.hashKeys, readDocumentFile));
      return found;
    },

    async probeCollector({ encoding, headers, timeoutMs, allowInsecureHttp }, url) {
      const { encode, contentType } = createOtlpEncoder(encoding, { resource: [], scope: { name: 'countersign', version: '' } });
      const own = await createSourceHeaders(headers, { readFile: readDocumentFile, clock }).current();
      if (own === null) return { error: 'a secret of its headers cannot be read' };
      try {
        const request = { method: 'POST' as const, url, headers: { ...own, 'content-type': contentType }, body: encode([]) };
        const { status } = await httpSend({ ...request, timeoutMs, allowInsecureHttp }, ANSWER_BYTES_MAX);
        return { error: status >= 200 && status < 300 ? null : `status ${status}` };
      } catch (thrown) {
        return { error: asCountersignError(thrown, 'fetch_failed').message };
      }
    },

    async loadLists({ network }) {
      const parts = { clock, logger, readFile: readChangedFile, fetch: httpFetchChanged, random: Math.random };
      const lists = createAddressLists(network, parts);
      try {
        await lists.start();
        return lists.status().map(({ name, state, tooOld, entries, lastError }) => ({ name, state, tooOld, entries, error: lastError }));
      } finally {
        lists.stop();
      }
    },
  };
}
