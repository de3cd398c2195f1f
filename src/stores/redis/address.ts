import { CountersignError } from '../../contract/errors.ts';

/** Where a server is and how to sign in there, in ioredis' names. */
export type RedisAddress = {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly servername: string };
};

/**
 * Reads `redis://` or `rediss://` (TLS), with `user:password@` and `/database` where wanted.
 * @throws CountersignError `config_invalid`; its text never holds the URL, which may hold a password.
 */
export function parseRedisUrl(text: string, field = 'store.url', defaultPort = 6379): RedisAddress {
  const invalid = () => new CountersignError('config_invalid', { field });
  if (!URL.canParse(text)) throw invalid();
  const url = new URL(text);
  const database = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if ((url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '' || database === undefined) throw invalid();
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    return {
      host,
      port: url.port === '' ? defaultPort : Number(url.port),
      db: Number(database),
      ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
      ...(url.protocol === 'rediss:' ? { tls: { servername: host } } : {}),
    };
  } catch {
    // a stray % in the credentials
    throw invalid();
  }
}
