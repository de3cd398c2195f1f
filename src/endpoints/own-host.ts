import { canonicalHost } from './canonical-url.ts';

/** Tells whether a Host header names this listener. */
export type IsOwnHost = (header: string | undefined, localAddress: string | undefined) => boolean;

/**
 * The names of a listener: localhost and loopback, the address it is bound to, the address that the connection came in by, and the
 * configured ones; ports are not compared, since a port may be mapped. A page whose name was re-bound to a loopback address (DNS
 * rebinding) is refused by this even where no Origin is sent. Throws nothing; names that do not parse never match.
 */
export function createIsOwnHost(boundHost: string, publicHosts: readonly string[]): IsOwnHost {
  const names = new Set<string>();
  for (const name of ['localhost', '127.0.0.1', '::1', boundHost, ...publicHosts]) {
    const read = canonicalHost(bracketed(name));
    if (read.host !== '') names.add(read.host);
  }
  let lastHeader: string | undefined;
  return (header, localAddress) => {
    if (header === undefined || header === '') return false;
    if (header === lastHeader) return true;
    const { host } = canonicalHost(header);
    if (host === '') return false;
    if (names.has(host)) {
      // a gateway sends the same header each time
      lastHeader = header;
      return true;
    }
    return localAddress !== undefined && host === canonicalHost(bracketed(localAddress.replace(/^::ffff:(?=\d+\.)/, ''))).host;
  };
}

function bracketed(name: string): string {
  return name.includes(':') && !name.startsWith('[') && name.indexOf(':') !== name.lastIndexOf(':') ? `[${name}]` : name;
}
