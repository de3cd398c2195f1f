import { type CreateBoundedCache, createBoundedCache } from './bounded-cache.ts';
import { type BreakerOptions, CircuitBreaker } from './circuit-breaker.ts';
import { type CreateGuardedExchange, createGuardedExchange } from './guarded-exchange.ts';
import { type ReadDocumentFile, readDocumentFile } from './read-file.ts';
import { createResolveHost } from './resolve-host.ts';

/** What sources of attributes are asked with and kept in. */
export type SourceStores = {
  readonly createExchange: CreateGuardedExchange;
  readonly createCache: CreateBoundedCache;
  readonly createBreaker: (options: BreakerOptions) => CircuitBreaker;
  readonly readFile: ReadDocumentFile;
};

/** Of this process: the names are asked of the system's name servers, the files are those of the machine. */
export function createSourceStores(monotonic: () => number): SourceStores {
  return {
    createExchange: (options) => createGuardedExchange(options, createResolveHost()),
    createCache: createBoundedCache,
    createBreaker: (options) => new CircuitBreaker(options, monotonic),
    readFile: readDocumentFile,
  };
}
