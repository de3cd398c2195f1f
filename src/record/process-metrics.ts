/** Of prom-client's metrics of the process those that tell how it is; all others are there too. */
export const PROCESS_METRICS: readonly (readonly [name: string, help: string])[] = [
  ['process_cpu_seconds_total', 'CPU time; more than a core a second is compilers and threads that prepare policies.'],
  ['process_resident_memory_bytes', 'Memory that the process has of the machine: against the limit of its container.'],
  ['nodejs_heap_size_used_bytes', 'Of it, the JavaScript heap that is in use.'],
  ['nodejs_heap_size_total_bytes', 'The heap as it was reserved.'],
  ['nodejs_external_memory_bytes', 'Memory outside the heap: bodies, WebAssembly, address databases.'],
  ['nodejs_eventloop_lag_seconds', 'Lag of the event loop at this scrape.'],
  [
    'nodejs_eventloop_lag_mean_seconds',
    'Its mean since the scrape before, with the 10 ms of the clock that measures: an idle process shows 10 ms.',
  ],
  ['nodejs_eventloop_lag_p50_seconds', 'Its median.'],
  ['nodejs_eventloop_lag_p90_seconds', 'Its 90th percentile.'],
  [
    'nodejs_eventloop_lag_p99_seconds',
    'Its 99th percentile. Questions are decided in turns of 5 ms: what is far above is a pause of the process, which had no core or collected garbage.',
  ],
  ['nodejs_eventloop_lag_max_seconds', 'Its maximum.'],
  ['nodejs_gc_duration_seconds', 'Histogram of the pauses of garbage collection, by `kind`.'],
  ['process_open_fds', 'Open files and sockets, against `process_max_fds`.'],
];
