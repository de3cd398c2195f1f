/** Operational log lines: the part of the contract's `Logger` that stores need. */
export type StoreLogger = {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
};
