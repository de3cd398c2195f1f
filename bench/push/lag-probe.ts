// Preloaded into the service by bench/push/run.ts: at each SIGUSR2 one line on stderr with the longest delay of its event loop since the last.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

/*
 * The delay holds what other processes do on this machine; the time that this thread itself worked between two ticks does not. It may be several
 * turns of the loop, so it is an upper bound of the longest one.
 */
let busiestMs = 0;
let before = process.threadCpuUsage();
setInterval(() => {
  const used = process.threadCpuUsage(before);
  busiestMs = Math.max(busiestMs, (used.user + used.system) / 1000);
  before = process.threadCpuUsage();
}, 1).unref();

const rounded = (ms: number): number => Math.round(ms * 100) / 100;
process.on('SIGUSR2', () => {
  const said = { max: rounded(delay.max / 1e6), p99: rounded(delay.percentile(99) / 1e6), busy: rounded(busiestMs) };
  process.stderr.write(`lag ${JSON.stringify(said)}\n`);
  delay.reset();
  busiestMs = 0;
});
