import type { CircuitBreaker } from '../circuit-breaker.ts';
import type { HashKey, MakeCalls, SharedAnswer, SharedCall, SharedStore, SimulatedShared } from '../shared-store.ts';
import type { StoreLogger } from '../store-logger.ts';
import type { RedisClient, RedisCommand, RedisReply } from './client.ts';
import { onCopy, onlyOfCopies, scriptTexts } from './on-copy.ts';
import type { RedisRound, RoundPart } from './round.ts';
import { formatHashKey, parseHashKey } from './shared-hash-key.ts';

export type RedisSharedOptions = {
  readonly client: RedisClient;
  readonly round: RedisRound;
  /** Its own: a round with the windows' calls that fails is one failure for each of them. */
  readonly breaker: CircuitBreaker;
  readonly deadlineMs: number;
  readonly keyPrefix: string;
  /** Random; what the first replica brings is what all of them use. */
  readonly hashKey: HashKey;
  /** Texts of the scripts that the calls name. */
  readonly scripts?: readonly string[];
  readonly logger: StoreLogger;
};

/** Those who wait for an answer, and those who told something that is not sent yet: each no more than this. */
const WAITING_MAX = 4096;
const FAILED: SharedAnswer = { replies: [], keptSinceMs: null };

type Asked = {
  /** Asks copies that are gone at once, and leaves everything as it is. */
  readonly simulated: boolean;
  readonly make: MakeCalls;
  readonly nowMs: number;
  readonly settle: ((answer: SharedAnswer) => void) | null;
  /** Answers without the store; its reply is still waited for, so that what is under way stays bounded. */
  readonly giveUp?: () => void;
};
/** Where the replies of one request lie: its calls, and the markers of the servers that they go to. */
type Plan = { readonly calls: readonly number[]; readonly markers: readonly number[]; readonly simulated: boolean };

/** Memory in Redis: one call an entity under its hash tag, all of one turn of the event loop in one round with the windows' calls. */
export function createRedisShared(options: RedisSharedOptions): SimulatedShared {
  const { client, round, breaker, deadlineMs, keyPrefix, logger } = options;
  const hashKeyName = `${keyPrefix}:{hash}`;
  const scripts = scriptTexts(options.scripts ?? []);
  const offered = formatHashKey(options.hashKey);
  let hashKey: HashKey | null = null;
  let hashKeyText = offered;
  let told: Asked[] = [];
  let asked: Asked[] = [];
  let waiting = 0;
  let dropped = 0;
  let refused: string | null = null;
  let joined = false;

  /** What was told goes before what is asked: an answer holds all that this replica knew when it asked. */
  function gather(): RoundPart {
    joined = false;
    // the key is looked at in each round: a server that lost its data gets it again, and one that another replica chose is taken over
    const looking = told.length === 0 && asked.every(({ simulated }) => simulated);
    const commands: RedisCommand[] = [
      { key: hashKeyName, words: looking ? ['GET', hashKeyName] : ['SET', hashKeyName, hashKeyText, 'NX', 'GET'] },
    ];
    const known = hashKey;
    const sent = known === null ? [] : [...told, ...asked];
    const markers = new Map<string, number>();
    let plans: readonly Plan[] = [];
    if (known !== null) {
      told = [];
      asked = [];
    }
    return {
      commands() {
        if (known !== null) plans = sent.map((one) => plan(one, known, commands, markers));
        return commands;
      },
      settle(replies) {
        judge(replies);
        takeOver(replies[0]);
        for (const [index, one] of sent.entries()) settle(one, plans[index], replies);
        if (known === null) retry(replies[0]);
      },
      giveUp() {
        for (const one of sent) one.giveUp?.();
      },
      fail(error) {
        breaker.failed();
        logger.warn('store_unavailable', { store: 'redis', error });
        for (const one of sent) settle(one, undefined, []);
        if (known === null) giveUp();
      },
    };
  }

  function plan({ make, nowMs, simulated }: Asked, key: HashKey, commands: RedisCommand[], known: Map<string, number>): Plan {
    const markers = new Set<number>();
    const calls = make(key).map((call) => {
      const command = toCommand(call, `${keyPrefix}:{${call.tag}}:m`);
      const marker = `${keyPrefix}:{${client.shardTag(command.key)}}`;
      // the windows' own marker: since when nothing was lost on that server
      const words = simulated ? (['GET', marker] as const) : (['SET', marker, Math.floor(nowMs), 'NX', 'GET'] as const);
      const place = known.get(marker) ?? commands.push({ key: marker, words: [...words] }) - 1;
      if (!simulated) known.set(marker, place);
      markers.add(place);
      return simulated ? commands.push(...onCopy(command.key, (copy) => toCommand(call, copy), scripts)) - 2 : commands.push(command) - 1;
    });
    return { calls, markers: [...markers], simulated };
  }

  function settle({ settle: resolve, nowMs }: Asked, made: Plan | undefined, replies: readonly RedisReply[]): void {
    if (resolve === null) {
      if (made === undefined || made.calls.some((place) => replies[place]?.ok !== true)) dropped += 1;
    } else resolve(made === undefined ? FAILED : answerOf(made, nowMs, replies));
  }

  /** The key of the first replica is the key of all. */
  function takeOver(reply: RedisReply | undefined): void {
    if (reply?.ok !== true) return;
    const theirs = reply.value === null ? parseHashKey(hashKeyText) : parseHashKey(reply.value);
    if (theirs === null) {
      refused = 'the hash key in the store has another form';
      return;
    }
    const text = formatHashKey(theirs);
    if (hashKey !== null && text === hashKeyText) return;
    hashKey = theirs;
    hashKeyText = text;
  }

  /** The first round only fetched the key; those who wait go into the next one. */
  function retry(reply: RedisReply | undefined): void {
    if (reply?.ok === true && hashKey !== null) join();
    else giveUp();
  }

  function giveUp(): void {
    const [left, lost] = [asked, told];
    asked = [];
    told = [];
    dropped += lost.length;
    for (const one of left) settle(one, undefined, []);
  }

  function judge(replies: readonly RedisReply[]): void {
    refused = null;
    for (const reply of replies) if (!reply.ok) refused = reply.error;
    if (replies.some((reply) => reply.ok)) breaker.succeeded();
    else breaker.failed();
  }

  function join(): void {
    if (joined) return;
    joined = true;
    round.join(gather);
  }

  function ask(make: MakeCalls, nowMs: number, budgetMs: number, simulated: boolean): Promise<SharedAnswer> | null {
    if (!client.ready || waiting >= WAITING_MAX || budgetMs <= 0 || !breaker.allows()) return null;
    waiting += 1;
    return new Promise<SharedAnswer>((resolve) => {
      let timer: NodeJS.Timeout | null = null;
      const settled = (answer: SharedAnswer) => {
        if (timer !== null) clearTimeout(timer);
        waiting -= 1;
        resolve(answer);
      };
      const giveUp = () => resolve(FAILED);
      // the round's own deadline covers the usual case without a timer a request
      if (budgetMs < deadlineMs || hashKey === null) timer = setTimeout(giveUp, Math.min(budgetMs, deadlineMs));
      join();
      asked.push({ simulated, make, nowMs, settle: settled, giveUp });
    });
  }

  const store: SharedStore = {
    ask: (make, nowMs, budgetMs) => ask(make, nowMs, budgetMs, false),
    tell(make, nowMs) {
      if (!client.ready || breaker.open || told.length >= WAITING_MAX) {
        dropped += 1;
        return;
      }
      join();
      told.push({ simulated: false, make, nowMs, settle: null });
    },
    status: () => ({
      state: client.ready && !breaker.open ? 'ready' : 'unavailable',
      dropped,
      lastError: client.lastError ?? refused,
    }),
  };
  const simulated: SharedStore = { ...store, ask: (make, nowMs, budgetMs) => ask(make, nowMs, budgetMs, true), tell: () => undefined };
  return { ...store, simulated };
}

function toCommand({ before, args }: SharedCall, key: string): RedisCommand {
  return { key, words: [...before, key, ...args], binary: true };
}

function answerOf({ calls, markers, simulated }: Plan, nowMs: number, all: readonly RedisReply[]): SharedAnswer {
  const replies = simulated ? onlyOfCopies(all, calls) : all;
  let keptSinceMs: number | null = 0;
  for (const place of markers) {
    const since = sinceOf(replies[place], nowMs);
    keptSinceMs = since === null || keptSinceMs === null ? null : Math.max(since, keptSinceMs);
  }
  return {
    replies: calls.map((place) => {
      const reply = replies[place];
      return reply?.ok === true ? reply.value : undefined;
    }),
    keptSinceMs,
  };
}

/** A marker's answer is null where it was set just now. */
function sinceOf(reply: RedisReply | undefined, nowMs: number): number | null {
  if (reply?.ok !== true) return null;
  if (reply.value === null) return nowMs;
  const sinceMs = typeof reply.value === 'string' ? Number(reply.value) : Number.NaN;
  return Number.isFinite(sinceMs) ? sinceMs : null;
}
