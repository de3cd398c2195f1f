import type { NamedText } from '../../contract/decision.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { Combined } from '../combine.ts';
import type { InputFacts } from '../input.ts';
import { SMOKE_FACTS } from '../smoke.ts';
import type { PolicyContract } from './contract.ts';
import { atWorst, type EnvoyInputOptions, envoyInput } from './envoy-input.ts';
import { maskEnvoyInput } from './envoy-log.ts';
import { namedTexts, parseHeaderLines, parseTexts } from './header-lines.ts';
import { NO_ANSWER } from './own-answer.ts';
import { invalidResult, ownCombined, ownReason } from './own-combined.ts';

const DENIED = 403;

/**
 * The contract `envoy`: the input and the decision object of opa-envoy-plugin, so that its policies need no change.
 * @param shownHeaders lower-case names of the headers that the log may show
 */
export function createEnvoyContract(options: EnvoyInputOptions, shownHeaders: readonly string[]): PolicyContract {
  const shown = new Set(shownHeaders);
  const build: PolicyContract['build'] = (facts) => envoyInput(facts, options);
  return {
    build,
    worst: atWorst,
    logged: (_facts, built) => (built === null ? null : maskEnvoyInput(built, shown)),
    read: readEnvoyDecision,
    trial: TRIAL,
    // a policy without a default may well have no answer to a request that knows nothing
    tried: (result) => {
      if (result !== undefined && typeof result !== 'boolean' && !isJsonObject(result)) throw invalidResult('result');
    },
  };
}

/** The plugin does not ask without a request. */
const TRIAL: InputFacts = {
  ...SMOKE_FACTS,
  request: {
    ...SMOKE_FACTS.request,
    http: {
      method: 'GET',
      scheme: 'http',
      host: 'smoke.invalid',
      port: null,
      path: '/',
      pathRaw: '/',
      segments: [],
      query: new Map(),
      headers: new Map(),
      body: { status: 'absent', reason: null, contentType: null, size: null, json: null },
      pathAmbiguous: false,
    },
  },
};

/**
 * A boolean, or an object with `allowed`; of the other members those that count for the effect are read, as the plugin does.
 * @throws CountersignError policy_result_invalid for everything else, and where a member that counts has the wrong type
 */
export function readEnvoyDecision(result: unknown): Combined {
  if (typeof result === 'boolean') {
    const effect = result ? 'allow' : 'deny';
    return ownCombined(effect, [ownReason(effect)], result ? null : DENIED, NO_ANSWER);
  }
  if (!isJsonObject(result)) throw invalidResult('result');
  const allowed = member(result, 'allowed');
  if (typeof allowed !== 'boolean') throw invalidResult('allowed');
  const metadata = member(result, 'dynamic_metadata') ?? null;
  if (metadata !== null && !isJsonObject(metadata)) throw invalidResult('dynamic_metadata');
  const headers = headersIn(result, 'headers');
  return allowed ? allowedBy(result, headers, metadata) : deniedBy(result, headers, metadata);
}

function allowedBy(result: JsonObject, headers: readonly NamedText[], dynamicMetadata: JsonObject | null): Combined {
  const query = namedTexts(member(result, 'query_parameters_to_set') ?? {});
  if (query === null) throw invalidResult('query_parameters_to_set');
  return ownCombined('allow', [ownReason('allow')], null, {
    ...NO_ANSWER,
    upstream: headers,
    upstreamRemove: textsIn(result, 'request_headers_to_remove'),
    client: headersIn(result, 'response_headers_to_add'),
    clientAdds: true,
    queryToSet: query,
    queryToRemove: textsIn(result, 'query_parameters_to_remove'),
    dynamicMetadata,
  });
}

function deniedBy(result: JsonObject, headers: readonly NamedText[], dynamicMetadata: JsonObject | null): Combined {
  const body = member(result, 'body') ?? null;
  if (body !== null && typeof body !== 'string') throw invalidResult('body');
  const status = statusOf(member(result, 'http_status') ?? null);
  // a redirect has no use for a problem document
  return ownCombined('deny', [ownReason('deny')], status, {
    ...NO_ANSWER,
    // for where the request passes all the same; a refusal is no worse for a wrong form of it
    upstreamRemove: parseTexts(member(result, 'request_headers_to_remove')) ?? [],
    client: headers,
    body: body ?? (status < 400 ? '' : null),
    dynamicMetadata,
  });
}

/** A refusal with a status of success is a refusal all the same: a gateway that goes by the status would let the request pass. */
function statusOf(said: JsonValue): number {
  if (said === null) return DENIED;
  if (typeof said !== 'number' || !Number.isInteger(said) || said < 100 || said > 599) throw invalidResult('http_status');
  return said < 300 ? DENIED : said;
}

function member(result: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(result, name) ? result[name] : undefined;
}

function headersIn(result: JsonObject, name: string): readonly NamedText[] {
  const lines = parseHeaderLines(member(result, name));
  if (lines === null) throw invalidResult(name);
  return lines;
}

function textsIn(result: JsonObject, name: string): readonly string[] {
  const texts = parseTexts(member(result, name));
  if (texts === null) throw invalidResult(name);
  return texts;
}
