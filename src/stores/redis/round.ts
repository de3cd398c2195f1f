import type { RedisClient, RedisCommand, RedisReply } from './client.ts';
import { textOf } from './pipeline.ts';

/** What one of those who share a round sends, and who is told. */
export type RoundPart = {
  commands(): readonly RedisCommand[];
  /** Replies in the order of the commands. */
  settle(replies: readonly RedisReply[]): void;
  /** Called where the replies are late: who waits is answered without them, and `settle` is still called when they come. */
  giveUp?(): void;
  /** Called in place of `settle` where any of this threw: a mistake of ours, since a client that fails tells it in its replies. */
  fail(error: string): void;
};

/** What is sent to Redis in this turn of the event loop, whoever sends it: one write a server. */
export interface RedisRound {
  /** @param gather is asked once, at the end of the turn, for all that has come together since. */
  join(gather: () => RoundPart): void;
}

/** What an answer may take beyond the deadline of a command: a script that has to be sent first, or a slot that has moved, takes rounds. */
const ROUNDS_MS = 10;

/** A round over one client. @param deadlineMs of one command. */
export function createRound(client: Pick<RedisClient, 'send'>, deadlineMs: number): RedisRound {
  let gatherers: (() => RoundPart)[] = [];

  async function flush(): Promise<void> {
    const parts = gatherers.map((gather) => plan(gather())).filter((part) => part !== null);
    gatherers = [];
    const timer = setTimeout(() => {
      for (const { part } of parts) part.giveUp?.();
    }, deadlineMs + ROUNDS_MS);
    try {
      const replies = await client.send(parts.flatMap(({ commands }) => commands));
      let from = 0;
      for (const { part, commands } of parts) {
        const to = from + commands.length;
        settle(part, replies.slice(from, to));
        from = to;
      }
    } catch (thrown) {
      for (const { part } of parts) part.fail(textOf(thrown));
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    join(gather) {
      if (gatherers.length === 0) setImmediate(() => void flush());
      gatherers.push(gather);
    },
  };
}

function plan(part: RoundPart): { readonly part: RoundPart; readonly commands: readonly RedisCommand[] } | null {
  try {
    return { part, commands: part.commands() };
  } catch (thrown) {
    part.fail(textOf(thrown));
    return null;
  }
}

function settle(part: RoundPart, replies: readonly RedisReply[]): void {
  try {
    part.settle(replies);
  } catch (thrown) {
    part.fail(textOf(thrown));
  }
}
