/** What the open load is asked to do, as one JSON line on its standard input. */
export type OpenJob = {
  readonly protocol: 'grpc' | 'http';
  readonly port: number;
  readonly operationsPort: number;
  readonly grpcPort: number;
  readonly perSecond: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** gRPC: connections that share all; HTTP: those that wait for a question. */
  readonly connections: number;
  /** An answer that comes later is of no use. */
  readonly usefulMs: number;
  readonly questionsFile: string;
};

/** What became of the questions that arrived while it measured. Times are milliseconds from the arrival of the question on. */
export type OpenResult = {
  readonly offeredPerSecond: number;
  /** Decided, and in time. */
  readonly goodPerSecond: number;
  /** Decided, and too late; never answered: the same. */
  readonly latePerSecond: number;
  /** Refused as `overloaded`, in the form that fails closed. */
  readonly shedPerSecond: number;
  /** Refused as `deadline_exceeded`. */
  readonly expiredPerSecond: number;
  /** Refused in no known form, or failed. */
  readonly failed: number;
  readonly firstFailed: string | null;
  readonly goodP50: number;
  readonly goodP99: number;
  readonly shedP99: number;
  /** The longest of the probes of `/livez`, `/readyz` and gRPC health, and how many were not answered with yes within a second. */
  readonly probeP50: number;
  readonly probeMax: number;
  readonly probes: number;
  readonly probesFailed: number;
  readonly loaderBusy: number;
};
