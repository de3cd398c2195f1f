import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { errorText } from '../../src/record/error-text.ts';

const systemError = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' });

describe('the text of a failure', () => {
  it.each<[unknown, string]>([
    [new Error('plain words stay'), 'Error: plain words stay'],
    [new RangeError('Maximum call stack size exceeded'), 'RangeError: Maximum call stack size exceeded'],
    [systemError, 'Error ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:6379'],
    ['illegal string escape character', 'illegal string escape character'],
    [
      new CountersignError('fetch_failed', { field: 'jwksUrl', cause: systemError }),
      'fetch_failed: The document could not be fetched: jwksUrl <- Error ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:6379',
    ],
    [
      new SyntaxError('Unexpected token \'s\', "secret text" is not valid JSON'),
      'SyntaxError: Unexpected token ***, *** is not valid JSON',
    ],
    [new Error('bad header authorization=Bearer-secret here'), 'Error: bad header authorization=*** here'],
    [new Error('cannot read eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'), 'Error: cannot read ***'],
    [new Error('an "open quote'), 'Error: an ***'],
    [new Error("the client's own words"), "Error: the client's own words"],
    [42, 'a thrown number'],
    [{ secret: 'x' }, 'a thrown object'],
    [null, ''],
  ])('%s', (thrown, text) => {
    expect(errorText(thrown)).toBe(text);
  });

  it("has an end, also where errors are each other's cause", () => {
    const first = new Error('first');
    const second = new Error('second', { cause: first });
    first.cause = second;
    expect(errorText(first)).toBe('Error: first <- Error: second <- Error: first');
  });

  it('property: it is short, on one line, and repeats nothing that was quoted', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (before, after) => {
        const text = errorText(new Error(`${before.replaceAll(/["'`]/g, '')} "canary" ${after}`));
        expect(text).not.toContain('canary');
        expect(text).not.toMatch(/[\r\n]/);
        expect(text.length).toBeLessThanOrEqual(300);
      }),
    );
  });
});
