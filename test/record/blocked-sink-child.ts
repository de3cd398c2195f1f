// Writes decisions to a stdout that nobody reads until it is told to go on; see sink.test.ts.
import { createRecorder } from '../../src/record/recorder.ts';
import { allowed } from './records.ts';

const BUFFER_BYTES = 65_536;
const COUNT = Number(process.argv[2]);

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const recorder = createRecorder(
  { sink: 'stdout', input: 'referenced', bufferBytesMax: BUFFER_BYTES },
  { metrics: { count: () => {} }, logger: quiet, clock: { monotonic: () => performance.now() } },
);

const heapBytes = (): number => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const before = heapBytes();
for (let index = 0; index < COUNT; index += 1) {
  recorder.record(allowed);
  // lets the sink's writes happen, as between requests
  if (index % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
}
process.send?.({ grown: heapBytes() - before, ...recorder.status() });

process.on('message', (message) => {
  if (message !== 'close') return;
  void recorder.close(Number(process.argv[3])).then(() => {
    process.send?.(recorder.status(), () => process.exit(0));
  });
});
