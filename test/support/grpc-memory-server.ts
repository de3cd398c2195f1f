import { startGrpc } from './grpc-fixture.ts';

/** A gRPC server in a process of its own (run with --expose-gc), so that its memory is nobody else's. Each message is answered by the bytes in use. */
const server = await startGrpc({ deadlineMs: 60_000 });
process.on('message', () => {
  globalThis.gc?.();
  // array buffers are given back by a sweeper beside the collector
  setTimeout(() => {
    globalThis.gc?.();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    process.send?.(arrayBuffers + heapUsed);
  }, 5);
});
process.on('disconnect', () => process.exit(0));
process.send?.(server.port);
