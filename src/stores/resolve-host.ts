import { Resolver } from 'node:dns/promises';

/**
 * All addresses of a name, IPv4 first; null where the name server says that there are none. Rejects where it does not answer, or where `signal`
 * ends the question.
 */
export type ResolveHost = (hostname: string, signal: AbortSignal) => Promise<readonly string[] | null>;

const TRY_MS = 1000;
const NONE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'EBADQUERY']);

/**
 * Asks the name servers of the system, or others, by c-ares: unlike `dns.lookup`, it occupies no thread of the pool that files and keys are read by,
 * reads no hosts file, and can be given up.
 * @param servers `address:port` of other name servers, for tests.
 */
export function createResolveHost(servers: readonly string[] | null = null): ResolveHost {
  return async (hostname, signal) => {
    const resolver = new Resolver({ timeout: TRY_MS, tries: 2 });
    if (servers !== null) resolver.setServers(servers);
    const cancel = (): void => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
      const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      if (addresses.length > 0) return addresses;
      const failed = answers.find((answer) => answer.status === 'rejected' && !saysNone(answer.reason));
      if (failed !== undefined) throw new Error('the name servers did not answer');
      return null;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
}

function saysNone(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && typeof reason.code === 'string' && NONE.has(reason.code);
}
