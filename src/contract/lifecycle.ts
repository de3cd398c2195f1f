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

/** What other configuration needs, made and not in force yet; exactly one of the two has to be called. */
export type PreparedChange = {
  /** Takes it into force in one step; what only the old one needed is closed once no request can need it. Never throws. */
  commit(): void;
  /** Closes what was made for it. Never throws. */
  discard(): void;
};
