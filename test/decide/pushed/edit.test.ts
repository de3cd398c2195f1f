import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DataEdit } from '../../../src/contract/admin.ts';
import type { JsonValue } from '../../../src/contract/json.ts';
import { laidOver } from '../../../src/decide/pushed/documents.ts';
import { applyEdit, type EditRequest } from '../../../src/decide/pushed/edit.ts';
import { decodeState, encodeState, type PushedState } from '../../../src/decide/pushed/state-file.ts';

const BUNDLE = { countersign: { limits: { rate: { client: { '10s': 200 } }, risk: { points: 1 } }, routes: { a: { path: '/a' } } } };
const EMPTY: PushedState = { policy: 'default', revision: 0, roots: {}, documents: [], operatorPaths: [] };

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const put = (value: unknown): DataEdit => ({ kind: 'put', bytes: bytes(value) });
const DELETE: DataEdit = { kind: 'delete' };

function request(path: string, edit: DataEdit, more: Partial<EditRequest> = {}): EditRequest {
  return { path: path.split('/'), edit, present: null, at: 7, by: 'ops', role: 'admin', ...more };
}

/** The state after changes of which none may be refused. */
function stateAfter(...requests: readonly EditRequest[]): PushedState {
  return requests.reduce((state, one) => {
    const edited = applyEdit(BUNDLE, state, one);
    if ('refused' in edited) throw new Error(edited.refused);
    return edited.state;
  }, EMPTY);
}

const refusal = (state: PushedState, one: EditRequest): unknown => {
  const edited = applyEdit(BUNDLE, state, one);
  return 'refused' in edited ? edited : null;
};

describe('what is in force', () => {
  test.each<[string, EditRequest[], JsonValue]>([
    ['a threshold', [request('countersign/limits/rate/client/10s', put(5))], { rate: { client: { '10s': 5 } }, risk: { points: 1 } }],
    [
      'a new member',
      [request('countersign/limits/rate/address', put({ '1m': 1 }))],
      {
        rate: { client: { '10s': 200 }, address: { '1m': 1 } },
        risk: { points: 1 },
      },
    ],
    ['a whole root', [request('countersign/limits', put({ only: 1 }))], { only: 1 }],
    [
      'the last one says',
      [request('countersign/limits/rate', put(1)), request('countersign/limits/rate', put(2))],
      { rate: 2, risk: { points: 1 } },
    ],
    [
      'one below another',
      [request('countersign/limits', put({ a: { b: 1 } })), request('countersign/limits/a/b', put(2))],
      { a: { b: 2 } },
    ],
    ['one above another', [request('countersign/limits/rate', put(1)), request('countersign/limits', put({ c: 1 }))], { c: 1 }],
    [
      'a merge',
      [request('countersign/limits/rate', { kind: 'merge_patch', bytes: bytes({ client: { '10s': null, '1m': 9 } }) })],
      {
        rate: { client: { '1m': 9 } },
        risk: { points: 1 },
      },
    ],
    [
      'a patch',
      [request('countersign/limits', { kind: 'json_patch', bytes: bytes([{ op: 'replace', path: '/risk/points', value: 3 }]) })],
      {
        rate: { client: { '10s': 200 } },
        risk: { points: 3 },
      },
    ],
    ['withdrawn', [request('countersign/limits/rate', put(1)), request('countersign/limits/rate', DELETE)], BUNDLE.countersign.limits],
    ['all below withdrawn', [request('countersign/limits/rate', put(1)), request('countersign/limits', DELETE)], BUNDLE.countersign.limits],
    ['taken out of a document', [request('countersign/limits', put({ a: 1, b: 2 })), request('countersign/limits/a', DELETE)], { b: 2 }],
  ])('%s', (_name, requests, limits) => {
    expect(laidOver(BUNDLE, stateAfter(...requests).documents)).toEqual({ countersign: { ...BUNDLE.countersign, limits } });
  });

  test('exceptions are never part of the limits, and outlast whatever is done to them', () => {
    const pushed = [
      request('countersign/limits/exceptions/e1', put({ owner: 'me' })),
      request('countersign/limits', put({ only: 1 })),
      request('countersign/limits', DELETE),
    ];
    const state = stateAfter(...pushed);
    expect(laidOver(BUNDLE, state.documents)).toEqual(BUNDLE);
    expect(state.documents).toMatchObject([{ path: ['countersign', 'limits', 'exceptions'], value: { e1: { owner: 'me' } } }]);
    expect(stateAfter(...pushed, request('countersign/limits/exceptions/e1', DELETE)).documents).toMatchObject([{ value: {} }]);
  });

  test('each change counts, by its root', () => {
    const state = stateAfter(
      request('countersign/limits/rate', put(1)),
      request('countersign/routes/b', put(1)),
      request('countersign/limits/exceptions', put({})),
    );
    expect([state.revision, state.roots]).toEqual([
      3,
      { 'countersign/limits': 1, 'countersign/routes': 2, 'countersign/limits/exceptions': 3 },
    ]);
  });
});

describe('refused', () => {
  test.each<[string, EditRequest, unknown]>([
    [
      'nothing to patch',
      request('countersign/limits/none', { kind: 'merge_patch', bytes: bytes({}) }),
      { refused: 'data_unknown', field: 'countersign/limits/none' },
    ],
    ['nothing to withdraw', request('countersign/limits/rate', DELETE), { refused: 'data_unknown', field: 'countersign/limits/rate' }],
    ['there already', request('countersign/limits/rate', put(1), { present: false }), { refused: 'precondition_failed' }],
    ['not there', request('countersign/limits/none', put(1), { present: true }), { refused: 'precondition_failed' }],
    ['no JSON', request('countersign/limits/rate', { kind: 'put', bytes: Buffer.from('{') }), { refused: 'body_invalid_json' }],
    [
      'too many values',
      request('countersign/limits/rate', { kind: 'put', bytes: Buffer.from(`[${'0,'.repeat(2_000_000)}0]`) }),
      { refused: 'data_too_large', field: 'values' },
    ],
    [
      'a name twice',
      request('countersign/limits/rate', { kind: 'put', bytes: Buffer.from('{"a":1,"a":2}') }),
      { refused: 'body_duplicate_key', field: 'a' },
    ],
    [
      'a prototype',
      request('countersign/limits/rate', { kind: 'put', bytes: Buffer.from('{"__proto__":{}}') }),
      { refused: 'body_invalid_json' },
    ],
    ['no patch', request('countersign/limits', { kind: 'json_patch', bytes: bytes({}) }), { refused: 'patch_invalid' }],
    [
      'a failed test',
      request('countersign/limits', { kind: 'json_patch', bytes: bytes([{ op: 'test', path: '/risk', value: 0 }]) }),
      { refused: 'patch_conflict', field: '/0' },
    ],
  ])('%s', (_name, one, refused) => {
    expect(refusal(EMPTY, one)).toEqual(refused);
  });

  test('a place within a list or a text of a pushed document', () => {
    const state = stateAfter(request('countersign/limits/rate', put([1])));
    expect(refusal(state, request('countersign/limits/rate/0', put(2)))).toEqual({
      refused: 'data_path_invalid',
      field: 'countersign/limits/rate/0',
    });
  });
});

describe('kept', () => {
  const state = stateAfter(request('countersign/limits/rate', put({ a: 'ü' })), request('tenants/default/x', put(null)));

  test('and read again', () => expect(decodeState(encodeState(state), 'default')).toEqual(state));

  const damaged = (change: (text: string) => string): Uint8Array => Buffer.from(change(Buffer.from(encodeState(state)).toString()));
  test.each<[string, Uint8Array]>([
    ['another byte', damaged((text) => text.replace('"rate"', '"Rate"'))],
    ['cut off', damaged((text) => text.slice(0, -1))],
    ['empty', new Uint8Array()],
    ['no head', damaged((text) => text.split('\n')[1] ?? '')],
    ['another policy', encodeState({ ...state, policy: 'other' })],
    ['a later form', laterForm(encodeState(state))],
    ['a path outside', encodeState({ ...state, documents: [{ path: ['countersign', 'rules'], value: 1, at: 1, by: '' }] })],
    ['a prototype', encodeState({ ...state, documents: [{ path: ['countersign', 'limits', '__proto__'], value: 1, at: 1, by: '' }] })],
  ])('not read: %s', (_name, file) => {
    expect(() => decodeState(file, 'default')).toThrow(expect.objectContaining({ code: 'state_invalid' }));
  });
});

/** With a digest that is right. */
function laterForm(file: Uint8Array): Uint8Array {
  const body = Buffer.from(file).toString().split('\n')[1]?.replace('"version":1', '"version":2') ?? '';
  return Buffer.from(`countersign-data sha256=${hash('sha256', body)}\n${body}`);
}

test('a patch of copies that double the whole each time is too large', () => {
  const operations = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '', path: `/k${index}` }));
  const edit: DataEdit = { kind: 'json_patch', bytes: bytes(operations) };
  expect(refusal(EMPTY, request('countersign/limits', edit))).toMatchObject({ refused: 'data_too_large' });
});

test('what an operator changed is told from what an admin did, who answers for all that lies below', () => {
  const operator = { role: 'operator' } as const;
  const pathsAfter = (...requests: readonly EditRequest[]) => stateAfter(...requests).operatorPaths;
  const rate = 'countersign/limits/rate';
  const own = request(`${rate}/client`, put({ '10s': 7 }), operator);
  expect(pathsAfter(own)).toEqual([`${rate}/client`]);
  expect(pathsAfter(own, own, request(`${rate}/address`, put({ '10s': 7 }), operator))).toEqual([`${rate}/client`, `${rate}/address`]);
  expect(pathsAfter(own, request(`${rate}/client`, put({ '10s': 8 })))).toEqual([]);
  expect(pathsAfter(own, request(rate, put({ client: { '10s': 7 } })))).toEqual([]);
  expect(pathsAfter(own, request(`${rate}/clients`, put({})))).toEqual([`${rate}/client`]);
  expect(pathsAfter(own, request(`${rate}/client`, DELETE, operator))).toEqual([]);
  const exception = 'countersign/limits/exceptions/e';
  expect(pathsAfter(request(exception, put({}), operator), request(exception, DELETE, operator))).toEqual([]);
  // what an admin pushed is other than it was
  expect(pathsAfter(request(rate, put({ client: {} })), request(`${rate}/client`, DELETE, operator))).toEqual([`${rate}/client`]);
});
