import { asCountersignError, CountersignError } from '../../contract/errors.ts';
import type { KeptData } from './data-job.ts';

const PASSING: ReadonlySet<string> = new Set(['bundle_too_slow', 'opa_missing', 'state_invalid']);

/** Whether a bundle that was refused may be good all the same. */
export function mayPass(thrown: unknown): boolean {
  return thrown instanceof CountersignError && PASSING.has(thrown.code);
}

/**
 * Prepares a bundle with what was pushed over it. Where the bundle alone would do it is refused all the same, since to leave out what was pushed
 * could open what somebody closed.
 * @throws CountersignError data_unfit, and what `prepare` throws for the bundle alone
 */
export async function prepareOver<T>(prepare: (data: KeptData | null) => Promise<T>, data: KeptData | null): Promise<T> {
  try {
    return await prepare(data);
  } catch (thrown) {
    if (data === null || data.documents.length === 0) throw thrown;
    // a busy moment is no fault of the data, and passes
    if (mayPass(thrown)) throw thrown;
    await prepare(null);
    const { field, message } = asCountersignError(thrown, 'bundle_data_invalid');
    throw new CountersignError('data_unfit', { ...(field === null ? {} : { field }), detail: message, cause: thrown });
  }
}
