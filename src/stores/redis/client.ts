import type { StoreLogger } from '../store-logger.ts';

/** One command, with the one key that it touches: in a cluster the key says which node it goes to. */
export type RedisCommand = {
  readonly key: string;
  readonly words: readonly [string, ...(string | number)[]];
  /** Strings of the reply come as bytes. */
  readonly binary?: true;
};

/** A reply, or the text of why there is none. */
export type RedisReply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

export type RedisClientOptions = {
  readonly deadlineMs: number;
  /** Scripts that commands name by EVALSHA; a server that does not know them gets them again. */
  readonly scripts: readonly string[];
  readonly logger: StoreLogger;
};

/** Connections to Redis that fail fast: nothing is queued while a server is away, nothing waits longer than the deadline. */
export interface RedisClient {
  /** True while commands can be sent. */
  readonly ready: boolean;
  /** Text of the last failure since the connection was last ready, or null. */
  readonly lastError: string | null;
  /** Sends commands in one write a server; never rejects: each command has its own reply, and a server that fails marks only its own. */
  send(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]>;
  /** A hash tag that lies on the same server as the key, the same for all keys of that server: for a marker of each server's history. */
  shardTag(key: string): string;
  /** Calls back when something is published; over a connection of its own that may be away, so calls may be missed. */
  listen(channel: string, listener: () => void): void;
  close(): Promise<void>;
}
