import { createHash } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';
import { CountersignError } from '../../contract/errors.ts';
import { type BreakerOptions, CircuitBreaker } from '../circuit-breaker.ts';
import { parseRedisUrl } from './address.ts';
import type { RedisClient, RedisClientOptions, RedisCommand, RedisReply } from './client.ts';
import { sendTo, textOf } from './pipeline.ts';
import { connectionSettings, retryMs } from './settings.ts';
import { slotOf, tagOfSlot } from './slots.ts';
import { listenTo } from './subscription.ts';

export type ClusterOptions = RedisClientOptions & {
  /** Nodes to learn the others from; scheme, user and password are the same for all nodes. */
  readonly urls: readonly string[];
  readonly breaker: BreakerOptions;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
};

type Part = { readonly node: Redis | undefined; readonly name: string; readonly indexes: number[]; readonly commands: RedisCommand[] };

const SLOTS_REFRESH_MS = 5000;
const AWAY: RedisReply = { ok: false, error: 'the node of this key is away' };

/**
 * A Redis Cluster: one write a master, each with its own breaker, so that a node that hangs costs only its own keys, and those no wait once
 * that is known. A slot that has moved is asked for once more where it is said to be.
 */
export function connectCluster({ urls, breaker, monotonic, deadlineMs, scripts, logger }: ClusterOptions): RedisClient {
  const seeds = seedsOf(urls);
  const where = seeds.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  const cluster = new Cluster([...seeds.nodes], {
    redisOptions: { ...connectionSettings(deadlineMs), ...seeds.signIn },
    enableOfflineQueue: false,
    clusterRetryStrategy: retryMs,
    clusterNodeRetryStrategy: retryMs,
    slotsRefreshTimeout: 1000,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    maxRedirections: 3,
    // whoever waits has a deadline of 25 ms: what has failed is told at once
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 1,
  });
  const breakers = new Map<string, CircuitBreaker>();
  const texts = new Map(scripts.map((script) => [createHash('sha1').update(script).digest('hex'), script]));
  const tags = new WeakMap<readonly string[], string>();
  let lastError: string | null = 'not connected yet';
  let reported = false;

  const failed = (error: Error): void => {
    lastError = textOf(error);
    if (reported) return;
    reported = true;
    logger.warn('store_unavailable', { store: 'redis', where, error: lastError });
  };
  cluster.on('error', failed);
  cluster.on('node error', failed);
  cluster.on('ready', () => {
    lastError = null;
    reported = false;
    logger.info('store_ready', { store: 'redis', where });
  });

  const breakerOf = (name: string): CircuitBreaker => {
    const known = breakers.get(name) ?? new CircuitBreaker(breaker, monotonic);
    breakers.set(name, known);
    return known;
  };

  /** ioredis keeps one list of nodes for all slots of a range, and makes new ones at each refresh: what is found for a list holds as long as it. */
  function tagOfRange(range: string[]): string {
    const known = tags.get(range) ?? tagOfSlot(cluster.slots.indexOf(range));
    tags.set(range, known);
    return known;
  }

  function partition(commands: readonly RedisCommand[]): Iterable<Part> {
    const masters = new Map(cluster.nodes('master').map((node) => [nameOf(node), node]));
    // nodes come and go: what is remembered of those that left goes with them
    for (const name of breakers.keys()) if (!masters.has(name)) breakers.delete(name);
    const parts = new Map<string, Part>();
    for (const [index, command] of commands.entries()) {
      const name = cluster.slots[slotOf(command.key)]?.[0] ?? '';
      const part = parts.get(name) ?? { node: masters.get(name), name, indexes: [], commands: [] };
      parts.set(name, part);
      part.indexes.push(index);
      part.commands.push(command);
    }
    return parts.values();
  }

  async function sendPart({ node, name, commands }: Part): Promise<readonly RedisReply[]> {
    if (node === undefined || !breakerOf(name).allows()) return commands.map(() => AWAY);
    const replies = await sendTo(node, commands, scripts);
    // a server that says no has answered
    const answered = replies.some((reply) => reply.ok || SPOKEN.test(reply.error));
    if (answered) breakerOf(name).succeeded();
    else breakerOf(name).failed();
    if (!replies.some(hasMoved)) return replies;
    return followAll(commands, replies);
  }

  /** Those of one key one after the other, as they were sent: the later ones count on what the earlier ones did. */
  async function followAll(commands: readonly RedisCommand[], replies: readonly RedisReply[]): Promise<readonly RedisReply[]> {
    const last = new Map<string, Promise<RedisReply>>();
    const followed = replies.map((reply, index) => {
      const command = commands[index];
      if (!hasMoved(reply) || command === undefined) return reply;
      const before = last.get(command.key);
      const next = before === undefined ? follow(command) : before.then(() => follow(command));
      last.set(command.key, next);
      return next;
    });
    return Promise.all(followed);
  }

  /**
   * Asks once more, by the way that follows redirections and learns from them. What was redirected has done nothing yet. Where the node that it leads
   * to does not know the script, which is so of one that slots are being moved to, it gets the whole text: only this way leads there until the move is over.
   */
  async function follow(command: RedisCommand): Promise<RedisReply> {
    const [name, sha, ...rest] = command.words;
    const binary = command.binary === true;
    const said = await redirected(command.words, binary);
    const text = said.ok || !said.error.startsWith('NOSCRIPT') ? undefined : texts.get(String(sha));
    return name === 'EVALSHA' && text !== undefined ? redirected(['EVAL', text, ...rest], binary) : said;
  }

  async function redirected(words: RedisCommand['words'], binary: boolean): Promise<RedisReply> {
    try {
      const value = await (binary ? cluster.callBuffer(...words) : cluster.call(...words));
      return { ok: true, value };
    } catch (thrown) {
      return { ok: false, error: textOf(thrown) };
    }
  }

  return {
    get ready() {
      return cluster.status === 'ready';
    },
    get lastError() {
      return lastError;
    },
    async send(commands) {
      const replies = new Array<RedisReply>(commands.length).fill(AWAY);
      const parts = [...partition(commands)];
      const answers = await Promise.all(parts.map(sendPart));
      for (const [at, part] of parts.entries()) {
        for (const [place, index] of part.indexes.entries()) replies[index] = answers[at]?.[place] ?? AWAY;
      }
      const failure = replies.find((reply) => !reply.ok);
      if (cluster.status === 'ready') lastError = failure?.ok === false ? failure.error : null;
      return replies;
    },
    shardTag(key) {
      const range = cluster.slots[slotOf(key)];
      return range === undefined ? tagOfSlot(0) : tagOfRange(range);
    },
    listen: (channel, listener) => listenTo(cluster, channel, listener, logger),
    async close() {
      cluster.disconnect();
    },
  };
}

/** Answers of a server, as against failures of the way to it. */
const SPOKEN = /^[A-Z]{3,} /;

function hasMoved(reply: RedisReply): boolean {
  return !reply.ok && (reply.error.startsWith('MOVED ') || reply.error.startsWith('ASK '));
}

function nameOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}

/** @throws CountersignError `config_invalid` where the URLs sign in differently or name a database: a cluster has one. */
function seedsOf(urls: readonly string[]) {
  const addresses = urls.map((url) => parseRedisUrl(url, 'store.cluster'));
  const [first] = addresses;
  const alike = addresses.every(
    ({ db, username, password, tls }) =>
      db === 0 && username === first?.username && password === first?.password && (tls === undefined) === (first?.tls === undefined),
  );
  if (first === undefined || !alike) throw new CountersignError('config_invalid', { field: 'store.cluster' });
  return {
    nodes: addresses.map(({ host, port }) => ({ host, port })),
    signIn: {
      ...(first.username === undefined ? {} : { username: first.username }),
      ...(first.password === undefined ? {} : { password: first.password }),
      ...(first.tls === undefined ? {} : { tls: {} }),
    },
  };
}
