import { TestRunner } from 'vitest';

/**
 * Says of the running test that its vector is good as published and is refused here: `npm run conformance` counts it apart, and asks for the reason
 * in `test/conformance/known.yaml`.
 */
export function refusedOnPurpose(): void {
  const test = TestRunner.getCurrentTest();
  if (test !== undefined) Object.assign(test.meta, { refusedOnPurpose: true });
}
