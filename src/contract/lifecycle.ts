/** One listening socket of the process, with the two steps of a drain. */
export interface Listener {
  /** Opens the socket; the port is the real one, also where 0 was asked for. */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** From SIGTERM on: say that we go away (health NOT_SERVING, `connection: close`), and keep answering. */
  notice(): void;
  /** Requests at work now, for the metrics. */
  openRequests(): number;
  /** Stops accepting, lets requests in flight end, and cuts what is left after `boundMs`. */
  stop(boundMs: number): Promise<void>;
}
