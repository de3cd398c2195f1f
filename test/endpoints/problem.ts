import { expect } from 'vitest';
import { CODES } from '../../src/contract/codes.ts';

/** Holds an answer against the problem of a code. */
export async function expectProblem(answer: Response, code: keyof typeof CODES, field?: string): Promise<void> {
  const body: unknown = await answer.json();
  const problem = { type: `urn:countersign:error:${code}`, title: CODES[code].text, status: CODES[code].http, code };
  expect(body).toEqual(field === undefined ? problem : { ...problem, field });
  expect(answer.status).toBe(CODES[code].http);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
}
