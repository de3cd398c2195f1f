/** A case that cannot be asked as it is written; the message says why. */
export class CaseError extends Error {
  override readonly name = 'CaseError';
}
