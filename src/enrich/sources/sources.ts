import { isIP } from 'node:net';
import type { CollectAttributes, Facts } from '../../contract/collect.ts';
import { CountersignError } from '../../contract/errors.ts';
import type { SourceSignals, SourceStatus } from '../../contract/sources.ts';
import type { Awaitable, Clock, Logger } from '../../contract/stages.ts';
import type { GuardedExchange } from '../../stores/guarded-exchange.ts';
import type { SourceStores } from '../../stores/source-stores.ts';
import type { SourceSignal } from './answer.ts';
import { compileAttributes } from './attributes.ts';
import { createSourceHeaders } from './credentials.ts';
import type { SourceOptions } from './options.ts';
import { compileQuestion } from './question.ts';
import { createSource, type Source } from './source.ts';
import type { QuestionFacts } from './template-values.ts';

export type AttributeSourcesParts = SourceStores & { readonly clock: Clock; readonly logger: Logger };

/** All configured sources of attributes. */
export interface AttributeSources extends CollectAttributes {
  /** Asks those that are prefetched, all at once; the others are there as `absent: not_collected`. */
  prefetch(facts: QuestionFacts): Awaitable<SourceSignals>;
  stop(): void;
  status(): readonly SourceStatus[];
}

const CA_BYTES_MAX = 1_048_576;
const NOT_COLLECTED: SourceSignal = { status: 'absent', code: 'not_collected' };

/**
 * Null where none is configured.
 * @throws CountersignError config_invalid for a template or pointer that the configuration should have refused
 */
export function createAttributeSources(options: readonly SourceOptions[], parts: AttributeSourcesParts): AttributeSources | null {
  if (options.length === 0) return null;
  const sources = new Map(options.map((one): [string, Source] => [one.name, open(one, parts)]));
  const prefetched = [...sources.values()].filter(({ when }) => when === 'prefetch');
  const unasked: SourceSignals = Object.fromEntries(options.map(({ name }) => [name, NOT_COLLECTED]));

  return {
    prefetch: (facts) => (prefetched.length === 0 ? unasked : askAll(prefetched, unasked, facts)),
    knows: (name) => sources.has(name),
    collect(names, request, facts, route) {
      const { identity, enrichment } = facts;
      const known = enrichment.sources ?? unasked;
      const wanted = names.flatMap((name) => {
        const source = wasAsked(known[name]) ? undefined : sources.get(name);
        return source === undefined ? [] : [source];
      });
      const withThem = (said: SourceSignals): Facts => ({ identity, enrichment: { ...enrichment, sources: said } });
      const answer = askAll(wanted, known, { request, identity, network: enrichment.network, route });
      return answer instanceof Promise ? answer.then(withThem) : withThem(answer);
    },
    stop() {
      for (const source of sources.values()) source.stop();
    },
    status: () => [...sources.values()].map((source) => source.status()),
  };
}

function askAll(sources: readonly Source[], known: SourceSignals, facts: QuestionFacts): Awaitable<SourceSignals> {
  const answers = sources.map((source) => source.ask(facts));
  const join = (said: readonly SourceSignal[]): SourceSignals => {
    const joined = { ...known };
    for (const [index, { name }] of sources.entries()) joined[name] = said[index] ?? NOT_COLLECTED;
    return joined;
  };
  return isSettled(answers) ? join(answers) : Promise.all(answers).then(join);
}

function isSettled<T>(answers: readonly Awaitable<T>[]): answers is readonly T[] {
  return answers.every((answer) => !(answer instanceof Promise));
}

function open(options: SourceOptions, parts: AttributeSourcesParts): Source {
  const template = compileQuestion(options);
  const pick = compileAttributes(options.attributes);
  if (pick === null) throw new CountersignError('config_invalid', { field: `sources.${options.name}.attributes` });
  return createSource(options, {
    ...parts,
    template,
    pick,
    headers: createSourceHeaders(options.headers, parts),
    breaker: parts.createBreaker(options.breaker),
    exchange: exchangeOf(options, template.origin, parts),
  });
}

/** Null where the file with the CAs cannot be read: to go on without it would trust others. */
export function exchangeOf(
  options: SourceOptions,
  origin: string,
  parts: Pick<AttributeSourcesParts, 'createExchange' | 'readFile' | 'logger'>,
): Awaitable<GuardedExchange | null> {
  const { timeoutMs, bytesMax, allowPrivate, caFile } = options;
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  const made = (ca: string | null): GuardedExchange =>
    parts.createExchange({
      origin,
      allowPrivate: { host: allowPrivate.includes(host), blocks: allowPrivate.filter(isBlock) },
      timeoutMs,
      bytesMax,
      ca,
    });
  if (caFile === null) return made(null);
  return parts.readFile(caFile, CA_BYTES_MAX).then(
    (pem) => made(pem.toString('latin1')),
    () => {
      parts.logger.error('source_ca_unreadable', { source: options.name });
      return null;
    },
  );
}

/** What was missing may have come by introspection meanwhile. */
function wasAsked(signal: SourceSignal | undefined): boolean {
  return signal !== undefined && (signal.status !== 'absent' || signal.code === 'not_found');
}

function isBlock(text: string): boolean {
  return isIP(text.split('/', 1)[0] ?? '') !== 0;
}
