import { createHash } from 'node:crypto';
import type { AdminRefused, DataRead, DataRequest, DataSide, PushedDocument } from '../../contract/admin.ts';
import { asCountersignError, CountersignError } from '../../contract/errors.ts';
import type { PolicyException } from '../../contract/exceptions.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { PushedStatus } from '../../contract/status.ts';
import type { KeptData } from './data-job.ts';
import type { RunDataJob } from './data-thread.ts';
import type { ExceptionBounds } from './exceptions.ts';
import { EXCEPTIONS, isPlainPath, pathText, rootOf, startsWith } from './roots.ts';

export type DataBounds = ExceptionBounds & { readonly dataMaxBytes: number };

/** A file that outlives the process. */
export type StateFile = {
  /** Null where there is none yet. */
  read(): Promise<Uint8Array | null>;
  /** Whole or not at all. */
  write(bytes: Uint8Array): Promise<void>;
  /** Keeps what cannot be read under another name, for whoever wants to look at it. */
  setAside(bytes: Uint8Array): Promise<void>;
};

export type PushedDataParts = {
  readonly policy: string;
  readonly run: RunDataJob;
  /** Null where nothing outlives the process. */
  readonly file: StateFile | null;
  readonly bounds: DataBounds;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** A change that fits together and is not in force yet. */
export type Candidate = {
  /** Its exceptions are those in force. */
  readonly kept: KeptData;
  /** All that it has. */
  readonly exceptions: readonly PolicyException[];
  readonly before: DataSide;
  readonly after: DataSide;
};

/** The bundle that data lies over. */
export type Base = { readonly packed: Uint8Array; readonly digest: string };

/** What was pushed over one policy. */
export interface PushedData {
  readonly bounds: DataBounds;
  /** True where it outlives the process. */
  readonly persisted: boolean;
  /** Reads what was kept over the restart; what cannot be read is left aside, and said. Never rejects. */
  open(): Promise<void>;
  /** Null until something was pushed; its exceptions are those that were in force then. */
  kept(): KeptData | null;
  /** All that were pushed and not taken back, those included that are over or that the bounds do not allow any more. */
  exceptions(): readonly PolicyException[];
  /** Whether what was kept over the restart was lost, and no admin has pushed anything since. */
  isDamaged(): boolean;
  /** Works a change out; nothing is changed by it. */
  plan(base: Base, request: DataRequest): Promise<Candidate | AdminRefused>;
  /**
   * Keeps a change over a restart, and takes it for what was pushed.
   * @throws CountersignError state_unwritable: everything stays
   */
  commit(candidate: Candidate): Promise<void>;
  read(base: Base, path: readonly string[], revision: string): Promise<DataRead | AdminRefused>;
  etagOf(base: Base, path: readonly string[]): string;
  list(): readonly PushedDocument[];
  /** Undefined where nothing was ever pushed and nothing went wrong. */
  status(): PushedStatus | undefined;
}

/** Nothing is there before `open`. */
export function createPushedData({ policy, run, file, bounds, clock, logger }: PushedDataParts): PushedData {
  let kept: KeptData | null = null;
  let exceptions: readonly PolicyException[] = [];
  let damaged = false;

  const seconds = (): number => Math.floor(clock.now() / 1000);

  function etagOf({ digest }: Base, path: readonly string[]): string {
    const root = rootOf(policy, path) ?? '';
    const text = `${digest} ${root} ${kept?.roots[root] ?? 0}`;
    return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  }

  function inForceOnly(data: KeptData): KeptData {
    return { ...data, exceptions: inForce(data.exceptions, seconds(), bounds) };
  }

  /** A path that lies at or below a root of data. */
  function judge(path: readonly string[]): AdminRefused | null {
    if (!isPlainPath(path)) return { refused: 'data_path_invalid' };
    return rootOf(policy, path) === null ? { refused: 'data_path_forbidden', field: pathText(path).slice(0, 128) } : null;
  }

  return {
    bounds,
    persisted: file !== null,
    async open() {
      if (file === null) return;
      const read = await file.read().catch((cause: unknown) => asCountersignError(cause, 'state_invalid'));
      if (read === null) return;
      const outcome = read instanceof CountersignError ? null : await run({ kind: 'open', policy, file: read });
      if (outcome?.kind === 'opened') {
        exceptions = outcome.kept.exceptions;
        kept = inForceOnly(outcome.kept);
        const { revision, documents, sha256, exceptions: counted } = kept;
        logger.info('data_restored', { policy, revision, documents: documents.length, sha256, exceptions: counted.length });
        return;
      }
      damaged = true;
      const detail = outcome?.kind === 'refused' ? (outcome.detail ?? outcome.refused) : 'it could not be read';
      logger.error('data_state_invalid', { policy, code: 'state_invalid', detail });
      if (!(read instanceof CountersignError))
        await file.setAside(read).catch((cause: unknown) => logger.warn('data_state_not_set_aside', { policy, cause }));
    },
    kept: () => kept,
    exceptions: () => exceptions,
    isDamaged: () => damaged,
    async plan(base, { path, edit, condition, operator }) {
      const refusal = judge(path);
      if (refusal !== null) return refusal;
      // the first push says that somebody has looked at what was lost, which may have been an admin's
      if (damaged && operator.role !== 'admin') return { refused: 'operator_not_allowed', field: pathText(path) };
      const { match } = condition;
      if (match !== null && match !== '*' && !match.includes(etagOf(base, path))) return { refused: 'precondition_failed' };
      const outcome = await run({
        kind: 'edit',
        policy,
        file: kept?.file ?? null,
        packed: base.packed,
        path,
        edit,
        present: match === null ? false : match === '*' ? true : null,
        role: operator.role,
        by: operator.name,
        at: seconds(),
        dataMaxBytes: bounds.dataMaxBytes,
        // what was lost had revisions too, and none of theirs may come again
        from: damaged ? seconds() : 0,
      });
      if (outcome.kind === 'edited') {
        const { kept: edited, before, after } = outcome;
        return { kept: inForceOnly(edited), exceptions: edited.exceptions, before, after };
      }
      return outcome.kind === 'refused' ? refusalOf(outcome) : { refused: 'internal_error' };
    },
    async commit(next) {
      try {
        await file?.write(next.kept.file);
      } catch (cause) {
        throw new CountersignError('state_unwritable', { cause });
      }
      kept = next.kept;
      exceptions = next.exceptions;
      damaged = false;
    },
    async read(base, path, revision) {
      const refusal = judge(path);
      if (refusal !== null) return refusal;
      const etag = etagOf(base, path);
      const outcome = await run({ kind: 'read', policy, file: kept?.file ?? null, packed: base.packed, path });
      if (outcome.kind === 'read') return { bytes: outcome.json, etag, revision };
      return outcome.kind === 'refused' ? refusalOf(outcome) : { refused: 'internal_error' };
    },
    etagOf,
    list: () =>
      (kept?.documents ?? []).map(({ path, json, sha256, at, by }) => ({ path: pathText(path), bytes: json.byteLength, sha256, at, by })),
    status() {
      if (kept === null && !damaged) return undefined;
      return {
        revision: kept?.revision ?? 0,
        documents: kept?.documents.length ?? 0,
        bytes: kept?.bytes ?? 0,
        sha256: kept?.sha256 ?? null,
        state: damaged ? 'damaged' : 'ready',
        persisted: file !== null,
        exceptions: inForce(kept?.exceptions ?? [], seconds(), bounds),
      };
    },
  };
}

/** Those that are not over. One that ends too late, or is one too many, was not pushed under these bounds, and is not in force. */
export function inForce(exceptions: readonly PolicyException[], nowSeconds: number, bounds: ExceptionBounds): readonly PolicyException[] {
  const allowed = exceptions.filter(({ endsAt }) => nowSeconds < endsAt && endsAt <= nowSeconds + bounds.exceptionMaxSeconds);
  return allowed.slice(0, bounds.exceptionsMax);
}

/** The documents that lie over the data of the bundle: all but the exceptions, which are the service's own. */
export function documentsOver({ documents }: KeptData): readonly { readonly path: readonly string[]; readonly json: Uint8Array }[] {
  return documents.filter(({ path }) => !startsWith(path, EXCEPTIONS)).map(({ path, json }) => ({ path, json }));
}

/** Whether two states of the data are the same in all but the exceptions. */
export function differsInExceptions(before: KeptData | null, after: KeptData): boolean {
  const roots = new Set([...Object.keys(before?.roots ?? {}), ...Object.keys(after.roots)]);
  roots.delete(pathText(EXCEPTIONS));
  return [...roots].every((root) => before?.roots[root] === after.roots[root]);
}

function refusalOf({ refused, field, detail }: AdminRefused): AdminRefused {
  return { refused, ...(field === undefined ? {} : { field }), ...(detail === undefined ? {} : { detail }) };
}
